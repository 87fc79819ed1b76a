import {
  closeIcon,
  ellipsesIcon,
  pauseIcon,
  refreshIcon,
  runIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { FileSlot } from '../../api/types';
import { IconButton } from '../../components/Buttons';
import { ProgressBar } from '../../components/ProgressBar';
import { useTrans } from '../../components/trans';
import { describe, formatBytes, formatDuration } from '../../text';
import type { FilesModel } from './files';
import { ChooseButton } from './filesdropzone';
import { openFileMenu } from './filesmenu';
import type { IFileRow } from './filesrows';

interface IFileProps {
  row: IFileRow;
  /** Shown instead of the whole path. */
  name?: string;
  files: FilesModel;
  slots: ReadonlyArray<FileSlot>;
  /** May its buttons take the focus? */
  focusable?: boolean;
  /** What is wrong with it, as the checks found. */
  problem?: string;
}

/** A file: how far it is, what is wrong, and what can be done. */
export function FileRow({
  row,
  name = row.name,
  files,
  slots,
  focusable = true,
  problem
}: IFileProps): React.JSX.Element {
  const trans = useTrans();
  const error = row.error ? describe(trans, row.error) : problem;
  return (
    <div
      className="jp-slurmdash-File"
      data-testid={`slurmdash-file-${row.name}`}
      data-state={row.state}
    >
      <div className="jp-slurmdash-File-head">
        <span className="jp-slurmdash-File-name" title={row.path ?? row.name}>
          {name}
        </span>
        {row.sha256 && (
          <span
            className="jp-slurmdash-File-digest"
            title={`SHA-256 ${row.sha256}`}
            data-testid={`slurmdash-file-sha256-${row.name}`}
          >
            {trans.__('SHA-256 %1', `${row.sha256.slice(0, 12)}…`)}
          </span>
        )}
        <span className="jp-slurmdash-Quiet jp-slurmdash-File-size">
          {row.size === null ? null : formatBytes(row.size)}
        </span>
        <FlowButton row={row} files={files} focusable={focusable} />
        <IconButton
          icon={ellipsesIcon}
          label={trans.__('More for %1', row.name)}
          aria-haspopup="menu"
          tabIndex={focusable ? 0 : -1}
          data-testid={`slurmdash-file-menu-${row.name}`}
          onClick={event => {
            const from = event.currentTarget;
            const { left: x, bottom: y } = from.getBoundingClientRect();
            openFileMenu(trans, files, row, slots, { x, y, from });
          }}
        />
        <IconButton
          icon={closeIcon}
          label={
            row.state === 'complete'
              ? trans.__('Remove %1', row.name)
              : trans.__('Cancel %1', row.name)
          }
          tabIndex={focusable ? 0 : -1}
          onClick={() => void files.remove([row.key])}
        />
      </div>
      <Progress row={row} />
      {error ? (
        <div
          className="jp-slurmdash-Field-message jp-mod-error jp-slurmdash-Clamp"
          title={error}
        >
          {error}
        </div>
      ) : null}
    </div>
  );
}

/** The one button that the state asks for: pause, resume, again, or choose it again. */
function FlowButton({
  row,
  files,
  focusable
}: {
  row: IFileRow;
  files: FilesModel;
  focusable: boolean;
}): React.ReactNode {
  const trans = useTrans();
  const { key, name, state } = row;
  const tabIndex = focusable ? 0 : -1;
  switch (state) {
    case 'uploading':
    case 'queued':
    case 'waiting':
      return (
        <IconButton
          icon={pauseIcon}
          label={trans.__('Pause %1', name)}
          tabIndex={tabIndex}
          onClick={() => files.pause([key])}
        />
      );
    case 'paused':
      return (
        <IconButton
          icon={runIcon}
          label={trans.__('Resume %1', name)}
          tabIndex={tabIndex}
          onClick={() => files.resume([key])}
        />
      );
    case 'failed':
      return row.local ? (
        <IconButton
          icon={refreshIcon}
          label={trans.__('Try %1 again', name)}
          tabIndex={tabIndex}
          onClick={() => files.resume([key])}
        />
      ) : null;
    case 'interrupted':
      return (
        <ChooseButton
          label={trans.__('Choose %1 again', name)}
          text={trans.__('Go on')}
          tabIndex={tabIndex}
          onFiles={chosen => void files.add(chosen, row.slot ?? undefined)}
        />
      );
    default:
      return null;
  }
}

function Progress({ row }: { row: IFileRow }): React.ReactNode {
  const trans = useTrans();
  if (row.state === 'complete' || row.state === 'failed') {
    return null;
  }
  const text = progressText(trans, row);
  return (
    <div className="jp-slurmdash-File-progress">
      <ProgressBar
        value={row.size ? row.sent / row.size : 0}
        kind={
          row.state === 'uploading' || row.state === 'elsewhere'
            ? 'accent'
            : 'quiet'
        }
        label={trans.__('Upload of %1', row.name)}
      />
      <span className="jp-slurmdash-Quiet" title={text}>
        {text}
      </span>
    </div>
  );
}

/** `41 % · 82 MB/s · 2 min`, or why it does not move. */
export function progressText(
  trans: TranslationBundle,
  row: Pick<IFileRow, 'state' | 'size' | 'sent' | 'speed' | 'eta'>
): string {
  const parts = row.size
    ? [`${Math.floor((row.sent / row.size) * 100)} %`]
    : [];
  if (row.speed > 0) {
    parts.push(`${formatBytes(row.speed)}/s`);
  }
  if (row.eta !== null) {
    parts.push(formatDuration(trans, Math.ceil(row.eta)));
  }
  switch (row.state) {
    case 'queued':
      parts.push(trans.__('waits for its turn'));
      break;
    case 'paused':
      parts.push(trans.__('paused'));
      break;
    case 'waiting':
      parts.push(trans.__('waits for the connection'));
      break;
    case 'elsewhere':
      parts.push(trans.__('from another browser'));
      break;
    case 'interrupted':
      parts.push(trans.__('choose the file again'));
      break;
  }
  return parts.join(' · ');
}
