import {
  checkIcon,
  circleEmptyIcon,
  closeIcon,
  errorIcon,
  fileUploadIcon,
  pauseIcon,
  runIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { FileSlot } from '../../api/types';
import { Button, IconButton } from '../../components/Buttons';
import { ErrorNote } from '../../components/Notes';
import { Part } from '../../components/Part';
import { ProgressBar } from '../../components/ProgressBar';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import { describe, formatBytes, formatDuration } from '../../text';
import type { IFileRow } from './files';
import type { NewJobModel } from './model';

type SlotState = 'empty' | 'uploading' | 'ok' | 'error';

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
  const { rows } = files;
  const bySlot = assignRows(slots, rows, files.validation?.slots ?? []);
  const loose = rows.filter(
    row => ![...bySlot.values()].some(own => own.includes(row))
  );
  const errors = model.messages('error');
  return (
    <Part
      title={trans.__('Files')}
      side={<span className="jp-slurmdash-Quiet">{totalOf(rows)}</span>}
    >
      <DropZone model={model} />
      {files.error ? (
        <ErrorNote error={files.error} onRetry={() => model.refresh()} />
      ) : null}
      {(slots.length > 0 || loose.length > 0) && (
        <ul className="jp-slurmdash-Files">
          {slots.map(slot => {
            const state = files.validation?.slots.find(
              ({ name }) => name === slot.name
            );
            const own = bySlot.get(slot.name) ?? [];
            const error =
              errors.get(`/files/${slot.name}`) ??
              (state?.state === 'error' ? (state.message ?? '') : undefined);
            return (
              <SlotRow
                key={slot.name}
                slot={slot}
                rows={own}
                state={slotState(own, error, state?.state)}
                message={own.length ? error : undefined}
                model={model}
              />
            );
          })}
          {loose.map(row => (
            <li key={row.key} className="jp-slurmdash-Slot jp-mod-loose">
              <FileRow row={row} model={model} slots={slots} />
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}

/** Which files stand in which slot: as the server found it, else as the user set it. */
function assignRows(
  slots: ReadonlyArray<FileSlot>,
  rows: ReadonlyArray<IFileRow>,
  states: ReadonlyArray<{ name: string; file?: string | null }>
): Map<string, IFileRow[]> {
  const found = new Map<string, IFileRow[]>();
  const taken = new Set<IFileRow>();
  for (const slot of slots) {
    const file = states.find(({ name }) => name === slot.name)?.file;
    const own = rows.filter(
      row =>
        !taken.has(row) &&
        (row.slot === slot.name || (!row.slot && row.name === file))
    );
    own.forEach(row => taken.add(row));
    found.set(slot.name, own);
  }
  return found;
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

const SLOT_ICONS = {
  empty: circleEmptyIcon,
  uploading: fileUploadIcon,
  ok: checkIcon,
  error: errorIcon
};

function SlotRow({
  slot,
  rows,
  state,
  message,
  model
}: {
  slot: FileSlot;
  rows: ReadonlyArray<IFileRow>;
  state: SlotState;
  message: string | undefined;
  model: IFilesHost;
}): React.JSX.Element {
  const trans = useTrans();
  const Icon = SLOT_ICONS[state];
  const words: Record<SlotState, string> = {
    empty: slot.required ? trans.__('needed') : trans.__('optional'),
    uploading: trans.__('on its way'),
    ok: trans.__('fits'),
    error: trans.__('to fix')
  };
  return (
    <li
      className={`jp-slurmdash-Slot jp-mod-${state}`}
      data-testid={`slurmdash-slot-${slot.name}`}
      data-state={state}
      data-pointer={`/files/${slot.name}`}
      tabIndex={-1}
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
            small
            label={trans.__('Choose %1', slot.name)}
            text={trans.__('Choose')}
            onFiles={chosen => void model.files.add(chosen, slot.name)}
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
        <FileRow key={row.key} row={row} model={model} slots={NO_SLOTS} />
      ))}
      {message && (
        <div className="jp-slurmdash-Field-message jp-mod-error" role="alert">
          {message}
        </div>
      )}
    </li>
  );
}

function FileRow({
  row,
  model,
  slots
}: {
  row: IFileRow;
  model: IFilesHost;
  /** Slots it may be put into; none when it stands in one. */
  slots: ReadonlyArray<FileSlot>;
}): React.JSX.Element {
  const trans = useTrans();
  const { files } = model;
  const moving = row.state === 'uploading' || row.state === 'queued';
  return (
    <div
      className="jp-slurmdash-File"
      data-testid={`slurmdash-file-${row.name}`}
      data-state={row.state}
    >
      <div className="jp-slurmdash-File-head">
        <span className="jp-slurmdash-File-name" title={row.path ?? row.name}>
          {row.name}
        </span>
        <span className="jp-slurmdash-Quiet">
          {row.size === null ? null : formatBytes(row.size)}
        </span>
        {row.state === 'uploading' && row.local && (
          <IconButton
            icon={pauseIcon}
            label={trans.__('Pause %1', row.name)}
            onClick={() => void files.pause(row.key)}
          />
        )}
        {(row.state === 'paused' || (row.state === 'failed' && row.local)) && (
          <IconButton
            icon={runIcon}
            label={
              row.state === 'paused'
                ? trans.__('Resume %1', row.name)
                : trans.__('Try %1 again', row.name)
            }
            onClick={() => void files.resume(row.key)}
          />
        )}
        {row.state === 'interrupted' && (
          <ChooseButton
            small
            label={trans.__('Choose %1 again', row.name)}
            text={trans.__('Go on')}
            onFiles={chosen => void files.add(chosen, row.slot ?? undefined)}
          />
        )}
        <IconButton
          icon={closeIcon}
          label={
            moving
              ? trans.__('Cancel %1', row.name)
              : trans.__('Remove %1', row.name)
          }
          onClick={() => void files.remove(row.key)}
        />
      </div>
      <FileProgress row={row} />
      {row.error ? (
        <div className="jp-slurmdash-Field-message jp-mod-error" role="alert">
          {describe(trans, row.error)}
        </div>
      ) : null}
      {slots.length > 0 && row.state === 'complete' && (
        <label className="jp-slurmdash-File-slot">
          {trans.__('Not used yet. Use as')}
          <span className="jp-slurmdash-Select">
            <select
              value=""
              onChange={event =>
                void files.setSlot(row.key, event.target.value)
              }
            >
              <option value="">—</option>
              {slots.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </span>
        </label>
      )}
    </div>
  );
}

function FileProgress({ row }: { row: IFileRow }): React.ReactNode {
  const trans = useTrans();
  if (row.state === 'complete' || row.state === 'failed' || !row.size) {
    return null;
  }
  const share = row.sent / row.size;
  const parts = [`${Math.floor(share * 100)} %`];
  if (row.state === 'uploading' && row.speed > 0) {
    parts.push(
      `${formatBytes(row.speed)}/s`,
      formatDuration(trans, (row.size - row.sent) / row.speed)
    );
  } else if (row.state === 'queued') {
    parts.push(trans.__('waits for its turn'));
  } else if (row.state === 'paused') {
    parts.push(trans.__('paused'));
  } else if (row.state === 'interrupted') {
    parts.push(trans.__('choose the file again to go on from there'));
  }
  return (
    <>
      <ProgressBar value={share} label={trans.__('Upload of %1', row.name)} />
      <span className="jp-slurmdash-Quiet">{parts.join(' · ')}</span>
    </>
  );
}

function DropZone({ model }: { model: IFilesHost }): React.JSX.Element {
  const trans = useTrans();
  const [path, setPath] = React.useState('');
  const [over, setOver] = React.useState(false);
  const addPath = async () => {
    if (path.trim() && (await model.files.addPath(path.trim()))) {
      setPath('');
    }
  };
  return (
    <div
      className={`jp-slurmdash-Drop ${over ? 'jp-mod-over' : ''}`}
      data-testid="slurmdash-drop-zone"
      data-pointer="/files"
      tabIndex={-1}
      onDragOver={event => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        event.preventDefault();
        setOver(false);
        void model.files.add([...event.dataTransfer.files]);
      }}
    >
      <div className="jp-slurmdash-Drop-line">
        <span>{trans.__('Drop files, or')}</span>
        <ChooseButton
          small
          text={trans.__('Choose files')}
          testId="slurmdash-file-input"
          onFiles={chosen => void model.files.add(chosen)}
        />
      </div>
      <div className="jp-slurmdash-Drop-line">
        <input
          type="text"
          className="jp-slurmdash-Input"
          aria-label={trans.__('Path on this cluster')}
          data-testid="slurmdash-path-input"
          autoComplete="off"
          spellCheck={false}
          placeholder={trans.__('or a path on this cluster')}
          title={trans.__(
            'A file that is on the cluster already; nothing is copied'
          )}
          value={path}
          onChange={event => setPath(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Enter') {
              void addPath();
            }
          }}
        />
        <Button
          small
          data-testid="slurmdash-path-add"
          disabled={!path.trim()}
          onClick={() => void addPath()}
        >
          {trans.__('Add')}
        </Button>
      </div>
    </div>
  );
}

/** A button that lets one choose files of this computer. */
function ChooseButton({
  text,
  label,
  small = false,
  testId,
  onFiles
}: {
  text: string;
  label?: string;
  small?: boolean;
  testId?: string;
  onFiles: (files: File[]) => void;
}): React.JSX.Element {
  const input = React.useRef<HTMLInputElement>(null);
  return (
    <>
      <Button
        small={small}
        aria-label={label}
        onClick={() => input.current?.click()}
      >
        {text}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        tabIndex={-1}
        aria-label={label ?? text}
        data-testid={testId}
        onChange={event => {
          const chosen = [...(event.target.files ?? [])];
          // The same file may be chosen again.
          event.target.value = '';
          if (chosen.length) {
            onFiles(chosen);
          }
        }}
      />
    </>
  );
}

function totalOf(rows: ReadonlyArray<IFileRow>): string | null {
  const total = rows.reduce((sum, row) => sum + (row.size ?? 0), 0);
  return rows.length ? formatBytes(total) : null;
}
