import {
  caretDownIcon,
  caretRightIcon,
  ellipsesIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { FileSlot } from '../../api/types';
import { IconButton } from '../../components/Buttons';
import { TreeGrid } from '../../components/TreeGrid';
import { useTrans } from '../../components/trans';
import { formatBytes } from '../../text';
import type { FilesModel } from './files';
import { ArchiveContents } from './filesarchive';
import { FILE_MIME, useSlotDrop } from './filesdrag';
import { openFileMenu, openFolderMenu, type IMenuPlace } from './filesmenu';
import { FileRow } from './filesrow';
import type { IFileRow } from './filesrows';
import { linesOf, type IFolderLine, type ILine } from './filestree';

/** Pixels of a line, and what more a moving or a wrong file has to say. */
const LINE = 26;
const MORE = 20;
const REASON = 34;

/** Archives whose contents can be unfolded below the list; with more of them it would be a list of its own. */
const FEW = 5;

/** The files that stand in no slot, grouped by folder. */
export function FilesList({
  rows,
  slots,
  files
}: {
  rows: ReadonlyArray<IFileRow>;
  slots: ReadonlyArray<FileSlot>;
  files: FilesModel;
}): React.ReactNode {
  const trans = useTrans();
  const [folds, setFolds] = React.useState<ReadonlyMap<string, boolean>>(
    new Map()
  );
  const { over, ...dropping } = useSlotDrop(null, files);
  const problems = problemsOf(rows, files);
  const lines = React.useMemo(() => linesOf(rows, folds), [rows, folds]);
  if (rows.length === 0) {
    return null;
  }
  const inside = ({ path }: IFolderLine) =>
    rows.filter(({ name }) => name.startsWith(`${path}/`));
  const openMenu = (line: ILine, place: IMenuPlace) =>
    line.kind === 'file'
      ? openFileMenu(trans, files, line.row, slots, place)
      : openFolderMenu(trans, files, inside(line), place);
  const onToggle = (line: ILine, open: boolean) => {
    if (line.kind === 'folder') {
      setFolds(new Map(folds).set(line.path, open));
    }
  };
  return (
    <div
      className={`jp-slurmdash-Others ${over ? 'jp-mod-over' : ''}`}
      {...dropping}
    >
      {slots.length > 0 && (
        <div className="jp-slurmdash-Slot-hint">
          {trans._n(
            '%1 file fills no slot; it goes with the job all the same.',
            '%1 files fill no slot; they go with the job all the same.',
            rows.length
          )}
        </div>
      )}
      <TreeGrid
        label={trans.__('Other files')}
        testId="slurmdash-other-files"
        lines={lines.map(line => ({
          ...line,
          open: line.kind === 'folder' ? line.open : undefined,
          height: heightOf(line, problems)
        }))}
        draw={(line, active) =>
          line.kind === 'folder' ? (
            <FolderRow
              line={line as IFolderLine}
              focusable={active}
              onToggle={onToggle}
              onMenu={openMenu}
            />
          ) : (
            <FileRow
              row={line.row}
              name={line.name}
              files={files}
              slots={slots}
              focusable={active}
              problem={problems.get(line.row.name)}
            />
          )
        }
        onToggle={(line, open) => onToggle(line as ILine, open)}
        onMenu={(line, at, from) => openMenu(line as ILine, { ...at, from })}
        onKey={(line, event) => {
          if (line.kind !== 'file') {
            return;
          }
          const { key, state } = line.row;
          if (event.key === 'Delete') {
            event.preventDefault();
            void files.remove([key]);
          } else if (event.key === ' ') {
            event.preventDefault();
            if (state === 'paused' || state === 'failed') {
              files.resume([key]);
            } else {
              files.pause([key]);
            }
          }
        }}
        onDragStart={(line, data) => {
          if (line.kind === 'folder') {
            return false;
          }
          data.setData(FILE_MIME, line.row.key);
          data.effectAllowed = 'move';
          return true;
        }}
      />
      {rows.filter(({ archive }) => archive).length <= FEW &&
        rows.map(
          ({ archive, key, fileId, name }) =>
            archive &&
            fileId && (
              <ArchiveContents
                key={key}
                fileId={fileId}
                name={name}
                files={files}
              />
            )
        )}
    </div>
  );
}

function FolderRow({
  line,
  focusable,
  onToggle,
  onMenu
}: {
  line: IFolderLine;
  focusable: boolean;
  onToggle: (line: IFolderLine, open: boolean) => void;
  onMenu: (line: IFolderLine, place: IMenuPlace) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const Caret = line.open ? caretDownIcon : caretRightIcon;
  const { files, complete, failed, size, sent } = line;
  const parts = [
    complete < files
      ? trans.__('%1 of %2', complete, files)
      : trans._n('%1 file', '%1 files', files),
    formatBytes(size)
  ];
  if (failed) {
    parts.push(trans.__('%1 failed', failed));
  } else if (size && sent < size) {
    parts.push(`${Math.floor((sent / size) * 100)} %`);
  }
  return (
    <div
      className="jp-slurmdash-File-head jp-slurmdash-Folder"
      data-testid={`slurmdash-folder-${line.path}`}
      data-open={line.open}
      onClick={() => onToggle(line, !line.open)}
    >
      <Caret.react
        tag="span"
        className="jp-slurmdash-Icon"
        aria-hidden="true"
      />
      <span className="jp-slurmdash-File-name" title={line.path}>
        {line.name}
      </span>
      <span className="jp-slurmdash-Quiet jp-slurmdash-File-size">
        {parts.join(' · ')}
      </span>
      <IconButton
        icon={ellipsesIcon}
        label={trans.__('More for %1', line.path)}
        aria-haspopup="menu"
        tabIndex={focusable ? 0 : -1}
        onClick={event => {
          event.stopPropagation();
          const from = event.currentTarget;
          const { left: x, bottom: y } = from.getBoundingClientRect();
          onMenu(line, { x, y, from });
        }}
      />
    </div>
  );
}

function heightOf(line: ILine, problems: ReadonlyMap<string, string>): number {
  if (line.kind === 'folder') {
    return LINE;
  }
  const { state, error, name } = line.row;
  const moves = state !== 'complete' && state !== 'failed';
  return LINE + (moves ? MORE : 0) + (error || problems.has(name) ? REASON : 0);
}

/** What the checks found of files that are all there: name → why. */
function problemsOf(
  rows: ReadonlyArray<IFileRow>,
  { validation }: FilesModel
): Map<string, string> {
  const found = new Map(
    (validation?.errors ?? []).map(({ pointer, message }) => [
      pointer
        .replace(/^\/files\//, '')
        .replaceAll('~1', '/')
        .replaceAll('~0', '~'),
      message
    ])
  );
  for (const { name, state } of found.size ? rows : []) {
    if (state !== 'complete') {
      found.delete(name);
    }
  }
  return found;
}
