import * as React from 'react';

import type { FileSlot, FileValidation } from '../../api/types';
import { ErrorNote } from '../../components/Notes';
import { useHeldFocus } from '../../components/heldfocus';
import { Part } from '../../components/Part';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import { formatBytes } from '../../text';
import { Obstacle, Question } from './filesasks';
import { DropZone } from './filesdropzone';
import { FilesList } from './fileslist';
import type { IFileRow } from './filesrows';
import { SlotRow } from './filesslots';
import { FilesTotal } from './filestotal';
import type { NewJobModel } from './model';

const NO_SLOTS: FileSlot[] = [];

/** What the field needs of the form around it; a notebook has only the field. */
export type IFilesHost = Pick<
  NewJobModel,
  'files' | 'template' | 'messages' | 'refresh'
>;

/** The files: what the template asks for, what is there, and the ways to add more. */
export function FilesField({
  model
}: {
  model: IFilesHost;
}): React.JSX.Element {
  const { files } = model;
  useModel(files);
  const trans = useTrans();
  const slots = model.template?.files.slots ?? NO_SLOTS;
  const { rows, validation } = files;
  const { bySlot, loose } = React.useMemo(
    () => placed(slots, rows, validation),
    [slots, rows, validation]
  );
  const errors = model.messages('error');
  const states = validation?.slots ?? [];
  const { question, obstacle } = files.intake;
  const box = React.useRef<HTMLDivElement>(null);
  const held = useHeldFocus(box, near => near.querySelector('button'));
  return (
    <Part
      title={trans.__('Files')}
      side={
        <span className="jp-slurmdash-Quiet">
          {rows.length ? formatBytes(files.totals.size) : null}
        </span>
      }
    >
      <div ref={box} className="jp-slurmdash-FilesField" {...held}>
        <DropZone files={files} />
        {question && <Question question={question} />}
        {obstacle && <Obstacle obstacle={obstacle} />}
        {files.error ? (
          <ErrorNote error={files.error} onRetry={() => model.refresh()} />
        ) : null}
        <FilesTotal files={files} />
        {slots.length > 0 && (
          <ul className="jp-slurmdash-Files">
            {slots.map(slot => (
              <SlotRow
                key={slot.name}
                slot={slot}
                slots={slots}
                rows={bySlot.get(slot.name) ?? []}
                told={states.find(({ name }) => name === slot.name)}
                error={errors.get(`/files/${slot.name}`)}
                files={files}
              />
            ))}
          </ul>
        )}
        <FilesList rows={loose} slots={slots} files={files} />
      </div>
    </Part>
  );
}

/** Which files stand in which slot, as the user set it or the server found it, and which in none. */
function placed(
  slots: ReadonlyArray<FileSlot>,
  rows: ReadonlyArray<IFileRow>,
  validation: FileValidation | null
): { bySlot: Map<string, IFileRow[]>; loose: IFileRow[] } {
  const bySlot = new Map(slots.map(({ name }) => [name, [] as IFileRow[]]));
  const found = new Map(
    (validation?.slots ?? []).map(({ name, file }) => [file, name])
  );
  const loose: IFileRow[] = [];
  for (const row of rows) {
    const own = bySlot.get(row.slot ?? found.get(row.name) ?? '');
    (own ?? loose).push(row);
  }
  return { bySlot, loose };
}
