import {
  checkIcon,
  circleEmptyIcon,
  errorIcon,
  fileUploadIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { FileSlot, FileValidation } from '../../api/types';
import { useTrans } from '../../components/trans';
import { formatBytes } from '../../text';
import type { FilesModel } from './files';
import { ArchiveContents } from './filesarchive';
import { FILE_MIME, useSlotDrop } from './filesdrag';
import { ChooseButton } from './filesdropzone';
import { FileRow } from './filesrow';
import type { IFileRow } from './filesrows';

type SlotState = 'empty' | 'uploading' | 'ok' | 'error';

const SLOT_ICONS = {
  empty: circleEmptyIcon,
  uploading: fileUploadIcon,
  ok: checkIcon,
  error: errorIcon
};

/** One slot of the template: what it asks for, and the file that stands in it. Files can be dropped on it. */
export function SlotRow({
  slot,
  slots,
  rows,
  told,
  error,
  files
}: {
  slot: FileSlot;
  slots: ReadonlyArray<FileSlot>;
  rows: ReadonlyArray<IFileRow>;
  /** What the server found. */
  told: FileValidation['slots'][number] | undefined;
  error: string | undefined;
  files: FilesModel;
}): React.JSX.Element {
  const trans = useTrans();
  const { over, ...dropping } = useSlotDrop(slot.name, files);
  const message =
    error ?? (told?.state === 'error' ? (told.message ?? '') : undefined);
  const state = slotState(rows, message, told?.state);
  const Icon = SLOT_ICONS[state];
  const words: Record<SlotState, string> = {
    empty: slot.required ? trans.__('needed') : trans.__('optional'),
    uploading: trans.__('on its way'),
    ok: trans.__('fits'),
    error: trans.__('to fix')
  };
  return (
    <li
      className={`jp-slurmdash-Slot jp-mod-${state} ${over ? 'jp-mod-over' : ''}`}
      data-testid={`slurmdash-slot-${slot.name}`}
      data-state={state}
      data-slot={slot.name}
      data-pointer={`/files/${slot.name}`}
      tabIndex={-1}
      {...dropping}
    >
      <div className="jp-slurmdash-Slot-head">
        <Icon.react
          tag="span"
          className={`jp-slurmdash-StateIcon jp-mod-slot-${state}`}
          aria-hidden="true"
        />
        <span className="jp-slurmdash-Slot-name" title={slot.description}>
          {slot.name}
        </span>
        <span className="jp-slurmdash-Slot-word">{words[state]}</span>
        {rows.length === 0 && (
          <ChooseButton
            label={trans.__('Choose %1', slot.name)}
            text={trans.__('Choose')}
            onFiles={chosen => void files.add(chosen, slot.name)}
          />
        )}
      </div>
      {rows.length === 0 && (
        <div className="jp-slurmdash-Slot-hint">
          {[
            slot.pattern,
            slot.max_size
              ? trans.__('at most %1', formatBytes(slot.max_size))
              : '',
            slot.description
          ]
            .filter(Boolean)
            .join(' · ')}
        </div>
      )}
      {rows.map(row => (
        <div
          key={row.key}
          draggable
          onDragStart={event => {
            event.dataTransfer.setData(FILE_MIME, row.key);
            event.dataTransfer.effectAllowed = 'move';
          }}
        >
          <FileRow row={row} files={files} slots={slots} />
          {row.archive && row.fileId && (
            <ArchiveContents
              fileId={row.fileId}
              name={row.name}
              files={files}
            />
          )}
        </div>
      ))}
      {message && rows.length > 0 && (
        <div className="jp-slurmdash-Field-message jp-mod-error" role="alert">
          {message}
        </div>
      )}
    </li>
  );
}

function slotState(
  rows: ReadonlyArray<IFileRow>,
  error: string | undefined,
  told: SlotState | undefined
): SlotState {
  if (rows.length === 0) {
    return 'empty';
  }
  if (error !== undefined || rows.some(({ state }) => state === 'failed')) {
    return 'error';
  }
  if (rows.some(({ state }) => state !== 'complete')) {
    return 'uploading';
  }
  return told === 'ok' || told === undefined ? 'ok' : told;
}
