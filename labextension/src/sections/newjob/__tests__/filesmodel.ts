import { FilesModel } from '../files';
import { FakeServer, FakeUploader, reading, settle } from './fakes';

/** Bytes of a file that goes by itself. */
export const BIG = 300 * 1024;

/** The files of a draft on a server in memory. */
export function setup() {
  const server = new FakeServer();
  const uploader = new FakeUploader();
  let keys = 0;
  const files = new FilesModel({
    client: server.client,
    uploader,
    newKey: () => `k${++keys}`,
    random: () => 1
  });
  /** All of an upload is on the server. */
  const finish = async (at: number) => {
    const { target } = uploader.uploads[at];
    server.file(target.name, target.slot);
    target.onCreated(`f-${target.name}`);
    target.onDone();
    await settle();
  };
  const states = () =>
    Object.fromEntries(files.rows.map(({ name, state }) => [name, state]));
  return { server, uploader, files, finish, states };
}

export const big = (name: string, letter = 'x') =>
  new File([letter.repeat(BIG)], name, { lastModified: 1 });
export const small = (name: string, text = 'x') => new File([text], name);

/** Drop files and let them be looked at. */
export async function add(
  files: FilesModel,
  some: File[],
  slot?: string
): Promise<void> {
  void files.add(some, slot);
  await reading();
}
