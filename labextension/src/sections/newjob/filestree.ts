import type { IFileRow } from './filesrows';

/** A folder's line in the list. */
export interface IFolderLine {
  kind: 'folder';
  key: string;
  /** The path, without a slash at its end. */
  path: string;
  name: string;
  level: number;
  open: boolean;
  files: number;
  complete: number;
  failed: number;
  size: number;
  sent: number;
}

/** A file's line in the list. */
export interface IFileLine {
  kind: 'file';
  key: string;
  name: string;
  level: number;
  row: IFileRow;
}

export type ILine = IFolderLine | IFileLine;

interface IFolder {
  path: string;
  folders: Map<string, IFolder>;
  rows: IFileRow[];
}

/** Folders of more files than this begin folded. */
const MANY = 20;

/** Which folders are open: what the user did wins, else folders of a few files are. */
export type IFolds = ReadonlyMap<string, boolean>;

/** Files grouped by folder, as lines from top to bottom; those of a folded folder are left out. */
export function linesOf(rows: ReadonlyArray<IFileRow>, folds: IFolds): ILine[] {
  const root: IFolder = { path: '', folders: new Map(), rows: [] };
  for (const row of rows) {
    folderOf(root, row.name).rows.push(row);
  }
  const lines: ILine[] = [];
  draw(root, 1, true, folds, lines);
  return lines;
}

function folderOf(root: IFolder, name: string): IFolder {
  let folder = root;
  let from = 0;
  for (let at; (at = name.indexOf('/', from)) >= 0; from = at + 1) {
    const step = name.slice(from, at);
    let next = folder.folders.get(step);
    if (!next) {
      next = { path: name.slice(0, at), folders: new Map(), rows: [] };
      folder.folders.set(step, next);
    }
    folder = next;
  }
  return folder;
}

/** Add the folder's lines, if `shown`; the answer sums it up. */
function draw(
  folder: IFolder,
  level: number,
  shown: boolean,
  folds: IFolds,
  lines: ILine[]
): Omit<IFolderLine, 'kind' | 'key' | 'path' | 'name' | 'level' | 'open'> {
  const sum = { files: 0, complete: 0, failed: 0, size: 0, sent: 0 };
  const names = [...folder.folders.keys()].sort();
  for (const name of names) {
    const child = folder.folders.get(name)!;
    const open = folds.get(child.path) ?? child.rows.length <= MANY;
    const line: IFolderLine = {
      kind: 'folder',
      key: `${child.path}/`,
      path: child.path,
      name,
      level,
      open,
      ...sum
    };
    if (shown) {
      lines.push(line);
    }
    const own = draw(child, level + 1, shown && open, folds, lines);
    Object.assign(line, own);
    for (const key of Object.keys(sum) as Array<keyof typeof sum>) {
      sum[key] += own[key];
    }
  }
  for (const row of folder.rows) {
    sum.files += 1;
    sum.complete += Number(row.state === 'complete');
    sum.failed += Number(row.state === 'failed');
    sum.size += row.size ?? 0;
    sum.sent += row.state === 'complete' ? (row.size ?? 0) : row.sent;
    if (shown) {
      const name = row.name.slice(row.name.lastIndexOf('/') + 1);
      lines.push({ kind: 'file', key: row.key, name, level, row });
    }
  }
  return sum;
}
