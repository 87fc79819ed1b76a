// tus-js-client, as its README has it: node tusjs.mjs COLLECTION TOKEN FILE MEMORY. MEMORY is where it notes the
// address of an upload, so that it can be ended at any moment and begun again.
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { FileUrlStorage, Upload } from 'tus-js-client';

const [endpoint, token, path, memory] = process.argv.slice(2);
const upload = new Upload(createReadStream(path), {
  endpoint,
  headers: { Authorization: `token ${token}` },
  metadata: { filename: basename(path) },
  urlStorage: new FileUrlStorage(memory),
  onError: error => {
    console.error(String(error));
    process.exit(1);
  }
});
const [previous] = await upload.findPreviousUploads();
if (previous) {
  upload.resumeFromPreviousUpload(previous);
}
upload.start();
