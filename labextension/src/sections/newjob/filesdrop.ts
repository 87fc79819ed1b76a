/** A file with the path it has in what was dropped or chosen (`mesh/fine/a.msh`), or its name. */
export interface IPicked {
  name: string;
  file: File;
}

/** Files looked up at the same time: each is a question to another process of the browser. */
const TOGETHER = 500;

/**
 * The files of a drop, those of its folders with their paths.
 *
 * The entries are taken at once: after the event the browser clears them. Empty folders are no files and are left out.
 */
export async function readDrop(
  data: Pick<DataTransfer, 'items' | 'files'>
): Promise<IPicked[]> {
  const items = [...(data.items ?? [])].filter(({ kind }) => kind === 'file');
  const entries = items.map(item => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some(entry => entry?.isDirectory)) {
    return named([...data.files]);
  }
  const found = await walk(entries.filter(entry => entry !== null));
  const picked: IPicked[] = [];
  for (let at = 0; at < found.length; at += TOGETHER) {
    const some = found.slice(at, at + TOGETHER);
    picked.push(...(await Promise.all(some.map(pick))));
  }
  return picked;
}

/** Files of an input; of one that takes a folder, with their paths. */
export function named(files: ReadonlyArray<File>): IPicked[] {
  return files.map(file => ({
    name: (file.webkitRelativePath || file.name).normalize('NFC'),
    file
  }));
}

/** The files among entries and below them, in their order. */
async function walk(
  entries: ReadonlyArray<FileSystemEntry>
): Promise<FileSystemFileEntry[]> {
  const found = await Promise.all(
    entries.map(async entry =>
      entry.isFile
        ? [entry as FileSystemFileEntry]
        : walk(await list(entry as FileSystemDirectoryEntry))
    )
  );
  return found.flat();
}

async function list(
  folder: FileSystemDirectoryEntry
): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // A browser gives up to 100 at a time, and none when there are no more.
    const some = await new Promise<FileSystemEntry[]>((done, failed) =>
      reader.readEntries(done, failed)
    );
    if (some.length === 0) {
      return all;
    }
    all.push(...some);
  }
}

async function pick(entry: FileSystemFileEntry): Promise<IPicked> {
  const file = await new Promise<File>((done, failed) =>
    entry.file(done, failed)
  );
  return { name: entry.fullPath.replace(/^\//, '').normalize('NFC'), file };
}
