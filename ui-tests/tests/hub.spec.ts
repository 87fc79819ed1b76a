import { createHash, randomBytes } from 'node:crypto';

import { test, type Page } from '@playwright/test';

import { OUT } from './artifacts';
import { drop, line, put, withDesk } from './desk';
import { expect, Panel } from './panel';

/** The panel behind a real JupyterHub, which tests/cluster/test_hub.py starts. */
const env = process.env;
test.skip(
  !env.SLURMDASH_HUB_URL,
  'tests/cluster/test_hub.py runs these behind a JupyterHub'
);

const MIB = 1024 * 1024;
const SIZE = 24 * MIB;

withDesk();

/** Start or stop the user's server as the hub's idle culler does, and wait until it is so. */
async function server(method: 'POST' | 'DELETE'): Promise<void> {
  const user = `${env.SLURMDASH_HUB_URL}hub/api/users/${env.SLURMDASH_HUB_USER}`;
  const headers = { Authorization: `token ${env.SLURMDASH_HUB_TOKEN}` };
  const answer = await fetch(`${user}/server`, { method, headers });
  expect(answer.ok).toBe(true);
  await expect(async () => {
    const { servers } = await (await fetch(user, { headers })).json();
    expect(servers['']?.ready ?? null).toBe(method === 'POST' ? true : null);
  }).toPass({ timeout: 120_000 });
}

async function logIn(page: Page): Promise<void> {
  await page.goto(`${env.SLURMDASH_HUB_URL}hub/login`);
  await page.locator('#username_input').fill(env.SLURMDASH_HUB_USER ?? '');
  await page.locator('#password_input').fill('any');
  await page.locator('#login_submit').click();
  await page.waitForURL(/\/user\//);
}

/** Where the requests that carry bytes begin, from now on. */
function offsets(page: Page): number[] {
  const all: number[] = [];
  page.on('request', request => {
    if (
      request.method() === 'PATCH' &&
      request.url().includes('/upload/tus/')
    ) {
      all.push(Number(request.headers()['upload-offset']));
    }
  });
  return all;
}

/** An upload whose server was culled in the middle, and is there again; the page was told of nothing but that. */
async function culled(panel: Panel): Promise<{ path: string; digest: string }> {
  const { page } = panel;
  await logIn(page);
  await panel.open();
  await panel.chooseTemplate('python-script-v1', 'python');
  const bytes = randomBytes(SIZE);
  const path = put('long.bin', bytes);
  const slow = await line(page, 3 * MIB);
  const row = panel.get('file-long.bin');
  await drop(panel, [path]);
  await expect(row).toContainText(/[4-9]\d %/, { timeout: 60_000 });

  const said: string[] = [];
  page.on('response', answer => {
    if (answer.url().includes('/upload/tus/')) {
      said.push(`${answer.request().method()} ${answer.status()}`);
    }
  });
  await server('DELETE');
  await expect(row).toHaveAttribute('data-state', 'waiting');
  // Tried while there is none: that is not the file's fault.
  await expect
    .poll(() => said.filter(one => one.startsWith('HEAD')).length, {
      timeout: 60_000
    })
    .toBeGreaterThan(1);
  await expect(row).toHaveAttribute('data-state', /waiting|queued|uploading/);
  await page.screenshot({ path: `${OUT}/hub-culled.png` });
  console.log(
    `hub: while there was no server: ${[...new Set(said)].join(', ')}`
  );
  await server('POST');
  await slow.detach();
  return { path, digest: createHash('sha256').update(bytes).digest('hex') };
}

async function complete(panel: Panel, digest: string): Promise<void> {
  await expect(panel.get('file-long.bin')).toHaveAttribute(
    'data-state',
    'complete',
    {
      timeout: 90_000
    }
  );
  await expect(panel.get('file-sha256-long.bin')).toHaveAttribute(
    'title',
    `SHA-256 ${digest}`
  );
}

function told(how: string, [kept, ...more]: number[]): void {
  expect(kept).toBeGreaterThan(SIZE / 4);
  console.log(
    `hub: ${how}: ${(kept / MIB).toFixed(1)} of ${SIZE / MIB} MiB were kept, the other ` +
      `${((SIZE - kept) / MIB).toFixed(1)} MiB sent in ${more.length + 1} requests, SHA-256 equal`
  );
}

test('hub: after a reload, the same file sends what is missing', async ({
  page
}) => {
  test.setTimeout(300_000);
  const panel = new Panel(page);
  const { path, digest } = await culled(panel);
  await page.reload();
  await panel.show();
  await expect(panel.get('interrupted')).toBeVisible();
  await page.screenshot({ path: `${OUT}/hub-interrupted.png` });
  const sent = offsets(page);
  await drop(panel, [path]);
  await complete(panel, digest);
  told('after a reload', sent);
});

test('hub: signed in again in another tab, it goes on by itself', async ({
  page
}) => {
  test.setTimeout(300_000);
  const panel = new Panel(page);
  const sent = offsets(page);
  const { digest } = await culled(panel);
  const before = sent.length;
  // The page's token has ended with the old server.
  const other = new Panel(await page.context().newPage());
  await other.open();
  await complete(panel, digest);
  await page.screenshot({ path: `${OUT}/hub-complete.png` });
  told('without a reload', sent.slice(before));
});
