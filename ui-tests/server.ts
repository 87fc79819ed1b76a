import { spawn, type ChildProcess } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const TOKEN = 'ui-tests';
const START_MS = 60_000;

/** A JupyterLab that was started for tests. */
export interface IServer {
  url: string;
  home: string;
  /** End it at once, as a system without memory does: it writes nothing more, and says nothing. */
  kill(): Promise<void>;
  /** Start it anew after that, on the same port and in the same home. */
  again(): Promise<void>;
  /** End it and remove its home. */
  stop(): Promise<void>;
}

/** Start a JupyterLab for all tests, unless there is one already; the answer stops it and removes its home. */
export default async function start(): Promise<(() => Promise<void>) | void> {
  if (process.env.SLURMDASH_URL) {
    return;
  }
  const server = await serve();
  process.env.SLURMDASH_URL = server.url;
  process.env.SLURMDASH_TOKEN = TOKEN;
  process.env.SLURMDASH_HOME = server.home;
  return server.stop;
}

/** Start a JupyterLab with the embedded scheduler in a temporary home, which `furnish` may fill before. */
export async function serve(
  furnish: (home: string) => string[] = () => []
): Promise<IServer> {
  const home = mkdtempSync(join(tmpdir(), 'slurmdash-ui-'));
  for (const name of ['root', 'data', 'work']) {
    mkdirSync(join(home, name));
  }
  settle(join(home, 'config'));
  const more = furnish(home);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const begin = async () => {
    const server = launch(home, port, more);
    await answering(`${url}slurmdash/api/health?token=${TOKEN}`);
    return server;
  };
  let server = await begin();
  const end = async (signal: NodeJS.Signals) => {
    const ended = new Promise(done => server.once('exit', done));
    if (server.exitCode === null && server.signalCode === null) {
      server.kill(signal);
      await ended;
    }
  };
  return {
    url,
    home,
    kill: () => end('SIGKILL'),
    again: async () => {
      server = await begin();
    },
    stop: async () => {
      await end('SIGTERM');
      if (!process.env.SLURMDASH_KEEP) {
        rmSync(home, { recursive: true, force: true });
      }
    }
  };
}

function launch(home: string, port: number, more: string[]): ChildProcess {
  const log = openSync(join(home, 'log'), 'a');
  return spawn(
    process.env.SLURMDASH_JUPYTER ?? 'jupyter',
    [
      'lab',
      '--allow-root',
      '--no-browser',
      `--port=${port}`,
      '--ServerApp.port_retries=0',
      `--ServerApp.root_dir=${join(home, 'root')}`,
      `--IdentityProvider.token=${TOKEN}`,
      '--LabApp.expose_app_in_browser=True',
      '--SlurmDash.scheduler=local',
      `--SlurmDash.data_dir=${join(home, 'data')}`,
      `--SlurmDash.work_root=${join(home, 'work')}`,
      ...more
    ],
    {
      env: {
        ...process.env,
        HOME: home,
        JUPYTER_CONFIG_DIR: join(home, 'config'),
        JUPYTER_DATA_DIR: join(home, 'jupyter'),
        JUPYTER_RUNTIME_DIR: join(home, 'runtime')
      },
      stdio: ['ignore', log, log]
    }
  );
}

/** No question about news in front of the buttons. */
function settle(config: string): void {
  const dir = join(
    config,
    'lab',
    'user-settings',
    '@jupyterlab',
    'apputils-extension'
  );
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, 'notification.jupyterlab-settings'),
    JSON.stringify({ fetchNews: 'false', checkForUpdates: false })
  );
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>(done => probe.listen(0, '127.0.0.1', () => done()));
  const { port } = probe.address() as AddressInfo;
  await new Promise(done => probe.close(done));
  return port;
}

async function answering(url: string): Promise<void> {
  const until = Date.now() + START_MS;
  for (;;) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) {
      return;
    }
    if (Date.now() > until) {
      throw new Error(`No answer from ${new URL(url).origin}`);
    }
    await new Promise(done => setTimeout(done, 200));
  }
}
