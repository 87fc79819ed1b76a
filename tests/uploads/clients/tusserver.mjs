// The reference server in Node, with its file store: node tusserver.mjs PORT DIRECTORY. Prints its address.
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';

const [port, directory] = process.argv.slice(2);
const server = new Server({ path: '/files', datastore: new FileStore({ directory, expirationPeriodInMilliseconds: 86_400_000 }) });
server.listen({ host: '127.0.0.1', port: Number(port) }, () => console.log(`http://127.0.0.1:${port}/files`));
