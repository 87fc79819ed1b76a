// Uppy with its tus plugin: node uppy.mjs COLLECTION TOKEN FILE MEMORY (see tusjs.mjs).
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import Uppy from '@uppy/core';
import Tus from '@uppy/tus';
import { FileUrlStorage } from 'tus-js-client';

const [endpoint, token, path, memory] = process.argv.slice(2);
const uppy = new Uppy().use(Tus, {
  endpoint,
  headers: { Authorization: `token ${token}` },
  urlStorage: new FileUrlStorage(memory)
});
uppy.addFile({ name: basename(path), data: createReadStream(path) });
const { failed } = await uppy.upload();
if (failed.length) {
  console.error(failed.map(file => file.error).join('\n'));
  process.exit(1);
}
