// The panel's way of choosing how much one request sends, with tus-js-client:
// node pieces.mjs COLLECTION TOKEN FILE CHUNKCLOCK_TS.
import { createReadStream, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Upload } from 'tus-js-client';
import ts from 'typescript';

const [endpoint, token, path, clock] = process.argv.slice(2);
const { outputText } = ts.transpileModule(readFileSync(clock, 'utf8'), {
  compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
});
const { ChunkClock, FIRST_CHUNK } = await import(
  `data:text/javascript,${encodeURIComponent(outputText)}`
);
const times = new ChunkClock();
const sizes = [];
const upload = new Upload(createReadStream(path), {
  endpoint,
  headers: { Authorization: `token ${token}` },
  metadata: { filename: basename(path) },
  chunkSize: FIRST_CHUNK,
  onBeforeRequest: () => times.begin(),
  onChunkComplete: size => {
    sizes.push(size);
    upload.options.chunkSize = times.next(size);
  },
  onSuccess: () => console.log(sizes.join(' ')),
  onError: error => {
    console.error(String(error));
    process.exit(1);
  }
});
upload.start();
