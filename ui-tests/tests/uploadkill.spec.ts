import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Request } from '@playwright/test';

import { expectAccessible } from './accessible';
import { OUT } from './artifacts';
import { ask } from './ask';
import { drop, line, onDesk, put, withDesk } from './desk';
import { withServer } from './own';
import { expect, test as base, Panel } from './panel';

/** The server is killed in the middle of an upload, and started again while the page stays as it is. */

const MIB = 1024 * 1024;
const SIZE = 24 * MIB;
const AWAY =
  'The server does not answer. What has arrived is kept; the upload goes on by itself.';

const test = base.extend<{ panel: Panel }>({
  panel: async ({ page }, use) => {
    const panel = new Panel(page);
    await panel.open();
    await use(panel);
    expect(panel.faults).toEqual([]);
  }
});

const server = withServer();
withDesk();

interface IPiece {
  id: string;
  from: number;
  /** How far the server said that it is then; null when it said nothing. */
  to: number | null;
}

/** What goes over the line from now on. */
class Wire {
  constructor(panel: Panel) {
    panel.page.on('request', request => {
      const { pathname } = new URL(request.url());
      const [, session, id] =
        /\/upload\/tus\/([^/]+)(?:\/([^/]+))?$/.exec(pathname) ?? [];
      this.sessionId = session ?? this.sessionId;
      if (session && request.method() === 'POST') {
        this.begun += 1;
      } else if (id && request.method() === 'PATCH') {
        const from = Number(request.headers()['upload-offset']);
        const piece: IPiece = { id, from, to: null };
        this.pieces.push(piece);
        this._said.push(answer(request).then(to => void (piece.to = to)));
      }
    });
  }

  sessionId = '';
  pieces: IPiece[] = [];
  /** Uploads that were begun. */
  begun = 0;

  /** How far the server has said that each upload is. */
  answered(): Map<string, number> {
    const found = new Map<string, number>();
    for (const { id, to } of this.pieces) {
      if (to !== null) {
        found.set(id, Math.max(found.get(id) ?? 0, to));
      }
    }
    return found;
  }

  /** The same once all requests are answered or lost. */
  async settled(): Promise<Map<string, number>> {
    await Promise.all(this._said);
    return this.answered();
  }

  private readonly _said: Array<Promise<void>> = [];
}

async function answer(request: Request): Promise<number | null> {
  const response = await request.response();
  const offset = response && (await response.headerValue('Upload-Offset'));
  return offset ? Number(offset) : null;
}

const sha256 = (data: Buffer) =>
  createHash('sha256').update(data).digest('hex');

test('a server that is killed and comes back: what is missing is sent, and nothing else', async ({
  panel
}) => {
  test.setTimeout(240_000);
  const { page } = panel;
  await page.setViewportSize({ width: 1280, height: 1600 });
  await panel.setWidth(320);
  await panel.chooseTemplate('python-script-v1', 'python');
  const large = ['one.bin', 'two.bin'];
  const bytes = new Map(large.map(name => [name, randomBytes(SIZE)]));
  const paths = large.map(name => put(name, bytes.get(name)!));
  for (let at = 0; at < 40; at++) {
    const name = `many/f${at}.dat`;
    bytes.set(name, randomBytes(60 * 1024));
    put(name, bytes.get(name)!);
  }
  const first = new Wire(panel);
  const slow = await line(page, 4 * MIB);
  await drop(panel, [...paths, onDesk('many')]);
  // The server has said of some of each that it has it, and gets more.
  await expect.poll(() => first.answered().size, { timeout: 60_000 }).toBe(2);

  await server().kill();
  const killed = Date.now();
  const note = panel.page.getByRole('status').filter({ hasText: AWAY });
  await expect(note).toBeVisible();
  const told = (Date.now() - killed) / 1000;
  for (const name of large) {
    await expect(panel.get(`file-${name}`)).toHaveAttribute(
      'data-state',
      'waiting'
    );
    await expect(panel.get(`file-${name}`)).toContainText(
      'waits for the connection'
    );
  }
  // Nothing moves, so there is no speed and no time left.
  await expect(panel.get('files-total')).not.toContainText('B/s');
  await expectAccessible(page, '.jp-slurmdash-NewJob');
  await panel.get('files-total').scrollIntoViewIfNeeded();
  await panel.page.locator('#jp-slurmdash-panel').screenshot({
    path: join(OUT, 'upload-server-away.png')
  });
  const kept = await first.settled();
  // It is away for longer than the first tries.
  await expect(note).toContainText(/next try in ([4-9]|\d\d) s/, {
    timeout: 30_000
  });

  const second = new Wire(panel);
  await slow.detach();
  const back = Date.now();
  await server().again();
  const up = (Date.now() - back) / 1000;
  // Nobody touches the page.
  await expect(panel.get('files-total')).toHaveCount(0, { timeout: 90_000 });
  const done = (Date.now() - back) / 1000;
  await expect(note).toHaveCount(0);

  const session = await ask('GET', `v2/upload/sessions/${first.sessionId}`);
  const files = ((await session.json()) as { files: IFile[] }).files;
  expect(files.map(({ name }) => name).sort()).toEqual(
    [...bytes.keys()].sort()
  );
  for (const { name, state, sha256: digest } of files) {
    expect([name, state, digest]).toEqual([
      name,
      'complete',
      sha256(bytes.get(name)!)
    ]);
  }
  // Not what the server says of them alone: what lies on the disk.
  const uploads = join(server().home, 'work', '.uploads');
  const there = readdirSync(uploads, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => sha256(readFileSync(join(entry.parentPath, entry.name))));
  const digests = [...bytes.values()].map(sha256);
  expect(digests.filter(digest => !there.includes(digest))).toEqual([]);
  // What the first server had said that it has, the second was never sent.
  const sent = await second.settled();
  expect(second.begun).toBe(0);
  let missing = 0;
  for (const file of files.filter(({ name }) => large.includes(name))) {
    const pieces = second.pieces.filter(
      ({ id, to }) => id === file.file_id && to !== null
    );
    expect(pieces[0].from).toBeGreaterThanOrEqual(kept.get(file.file_id)!);
    expect(kept.get(file.file_id)).toBeLessThan(SIZE);
    pieces.slice(1).forEach(({ from }, at) => expect(from).toBe(pieces[at].to));
    expect(sent.get(file.file_id)).toBe(SIZE);
    missing += SIZE - pieces[0].from;
  }
  console.log(
    `killed with ${mib([...kept.values()])} of ${(2 * SIZE) / MIB} MiB acknowledged; the panel said so after ${told.toFixed(1)} s;` +
      ` up again after ${up.toFixed(1)} s, all there after ${done.toFixed(1)} s; ${mib([missing])} sent then,` +
      ` of ${files.length} files SHA-256 equal`
  );
});

interface IFile {
  file_id: string;
  name: string;
  state: string;
  sha256: string | null;
}

const mib = (parts: number[]) =>
  `${(parts.reduce((sum, part) => sum + part, 0) / MIB).toFixed(2)} MiB`;
