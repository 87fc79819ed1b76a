import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Locator } from '@playwright/test';

import { expectAccessible } from './accessible';
import { drop, line, onDesk, put, withDesk } from './desk';
import { expect, file, Panel, test } from './panel';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes per second of the narrow line. */
const NARROW = 1.5 * MIB;

withDesk();

/** What a file's row says: per cent, bytes per second, seconds left. */
async function said(row: Locator): Promise<{
  percent: number;
  speed: number;
  eta: number;
} | null> {
  // None once the file is there, which may be at any moment.
  const texts = await row
    .locator('.jp-slurmdash-File-progress')
    .allTextContents();
  const text = texts.join(' ');
  expect(text).not.toMatch(/NaN|Infinity|-\d/);
  const match = /(\d+) % · ([\d.]+) (KB|MB)\/s · (\d+) (s|min)/.exec(text);
  return match
    ? {
        percent: Number(match[1]),
        speed: Number(match[2]) * (match[3] === 'MB' ? MIB : KIB),
        eta: Number(match[4]) * (match[5] === 'min' ? 60 : 1)
      }
    : null;
}

const state = (panel: Panel, name: string, is: string, timeout = 60_000) =>
  expect(panel.get(`file-${name}`)).toHaveAttribute('data-state', is, {
    timeout
  });

/** Where to take hold of a row, left of its buttons. */
async function middle(row: Locator): Promise<{ x: number; y: number }> {
  const { x, y } = (await row.boundingBox())!;
  return { x: x + 30, y: y + 10 };
}

/** Scroll the list until a file's row is drawn. */
async function shown(panel: Panel, name: string): Promise<void> {
  const list = panel.get('other-files');
  const row = panel.get(`file-${name}`);
  for (let top = 0; (await row.count()) === 0; top += 100) {
    expect(top).toBeLessThan(5000);
    await list.evaluate((box, to) => (box.scrollTop = to), top);
    await panel.page.evaluate(() => new Promise(requestAnimationFrame));
  }
  await row.scrollIntoViewIfNeeded();
}

test('ten files and a folder: pause, reload, resume, put into a slot, cancel one, finish', async ({
  panel
}) => {
  test.setTimeout(240_000);
  const { page } = panel;
  // All slots and the list are in sight at once.
  await page.setViewportSize({ width: 1280, height: 1600 });
  await panel.chooseTemplate('pytorch-training-v1', 'pytorch');
  const names = Array.from({ length: 10 }, (_, at) => `part${at}.bin`);
  const bytes = new Map(names.map(name => [name, randomBytes(1.5 * MIB)]));
  const paths = names.map(name => put(name, bytes.get(name)!));
  put('mesh/fine/a.msh', 'mesh');
  put('mesh/fine/b.msh', randomBytes(1.5 * MIB));
  put('mesh/notes.txt', 'notes');
  let slow = await line(page, NARROW / 3);
  await drop(panel, [...paths, onDesk('mesh')]);

  // The folder keeps its structure.
  await expect(panel.get('folder-mesh')).toBeVisible();
  await expect(panel.get('folder-mesh/fine')).toBeVisible();
  await expect(panel.get('files-total')).toContainText('of 13 files');
  await expect(panel.get('files-total')).toContainText(/\d \w?B\/s/);

  await panel.get('pause-all').click();
  await expect(panel.get('pause-all')).toHaveCount(0);
  await shown(panel, 'part9.bin');
  await state(panel, 'part9.bin', 'paused');
  const before = (await panel.get('files-total').textContent()) ?? '';
  expect(before).not.toMatch(/B\/s/);

  // What has arrived is kept over a reload.
  await page.reload();
  await panel.show();
  await expect(panel.get('interrupted')).toBeVisible();
  const kept = await page.locator('[data-state="interrupted"]').count();
  expect(kept).toBeGreaterThan(0);

  // The same files again: what is there is left alone, what was begun is gone on with.
  await slow.detach();
  slow = await line(page, NARROW / 3);
  await drop(panel, [...paths, onDesk('mesh')]);
  await expect(panel.get('files-total')).toContainText('of 13 files');
  await expect(panel.get('clash')).toHaveCount(0);

  // Cancel one, put one into a slot while it is not all there.
  await panel.get('pause-all').click();
  await shown(panel, 'part9.bin');
  await page.getByRole('button', { name: 'Cancel part9.bin' }).click();
  await expect(panel.get('file-part9.bin')).toHaveCount(0);
  await panel.get('file-menu-part8.bin').click();
  await page.getByRole('menuitem', { name: 'Use as dataset' }).click();
  await expect(
    panel.get('slot-dataset').getByTestId('slurmdash-file-part8.bin')
  ).toBeVisible();

  await slow.detach();
  await panel.get('resume-all').click();
  await expect(panel.get('files-total')).toHaveCount(0, { timeout: 120_000 });
  for (const name of names.slice(0, 9)) {
    await shown(panel, name);
    await state(panel, name, 'complete');
  }
  // What the server wrote, by its own digest.
  const digest = createHash('sha256')
    .update(bytes.get('part8.bin')!)
    .digest('hex');
  await expect(panel.get('file-sha256-part8.bin')).toHaveAttribute(
    'title',
    `SHA-256 ${digest}`
  );

  // By keyboard out of the slot again.
  await panel.get('file-menu-part8.bin').focus();
  await page.keyboard.press('Enter');
  await expect(
    page.getByRole('menuitem', { name: 'Use in no slot' })
  ).toBeVisible();
  const active = page.locator('.lm-Menu-item.lm-mod-active');
  await expect(async () => {
    await page.keyboard.press('ArrowDown');
    expect(await active.textContent()).toContain('no slot');
  }).toPass();
  await page.keyboard.press('Enter');
  await expect(
    panel.get('slot-dataset').getByTestId('slurmdash-file-part8.bin')
  ).toHaveCount(0);
  await shown(panel, 'part8.bin');
});

test('progress, speed and time left are right', async ({ panel }) => {
  test.setTimeout(120_000);
  await panel.chooseTemplate('python-script-v1', 'python');
  const size = 12 * MIB;
  const path = put('data.bin', randomBytes(size));
  await line(panel.page, NARROW);
  await drop(panel, [path]);
  const row = panel.get('file-data.bin');
  await state(panel, 'data.bin', 'uploading');
  const seen: Array<{
    at: number;
    percent: number;
    speed: number;
    eta: number;
  }> = [];
  while ((await row.getAttribute('data-state')) === 'uploading') {
    const now = await said(row);
    if (now && seen.at(-1)?.percent !== now.percent) {
      seen.push({ at: Date.now(), ...now });
    }
    await panel.page.waitForTimeout(100);
  }
  const end = Date.now();
  await state(panel, 'data.bin', 'complete');
  // After the first seconds: the speed is the line's, and the time left comes true.
  const steady = seen.filter(({ percent }) => percent > 30 && percent < 90);
  expect(steady.length).toBeGreaterThan(3);
  for (const [at, now] of seen.entries()) {
    expect(now.percent).toBeGreaterThanOrEqual(seen[at - 1]?.percent ?? 0);
  }
  for (const { at, speed, eta } of steady) {
    expect(Math.abs(speed / NARROW - 1)).toBeLessThan(0.35);
    expect(Math.abs((end - at) / 1000 - eta)).toBeLessThan(3);
  }
  const middle = steady[steady.length >> 1];
  console.log(
    `line ${(NARROW / MIB).toFixed(2)} MiB/s; shown ${(middle.speed / MIB).toFixed(2)} MiB/s at ${middle.percent} %,` +
      ` ${middle.eta} s left, which took ${((end - middle.at) / 1000).toFixed(1)} s`
  );
});

test('two browsers see the same progress, and the other can go on', async ({
  panel,
  browser
}) => {
  test.setTimeout(180_000);
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel.get('file-input').setInputFiles(file('first.py', 'print(1)\n'));
  await state(panel, 'first.py', 'complete');
  const context = await browser.newContext();
  const other = new Panel(await context.newPage());
  await expect(async () => {
    // The workspace is saved a moment after the session was made.
    await other.join(panel);
    await expect(other.get('file-first.py')).toBeVisible({ timeout: 5000 });
  }).toPass({ timeout: 60_000 });

  const path = put('shared.bin', randomBytes(24 * MIB));
  await line(panel.page, NARROW / 2);
  await drop(panel, [path]);
  await state(panel, 'shared.bin', 'uploading');
  await state(other, 'shared.bin', 'elsewhere');
  const apart: number[] = [];
  for (let look = 0; look < 12; look++) {
    const [here, there] = await Promise.all([
      said(panel.get('file-shared.bin')),
      said(other.get('file-shared.bin'))
    ]);
    if (here && there) {
      apart.push(Math.abs(here.percent - there.percent));
    }
    await panel.page.waitForTimeout(250);
  }
  console.log(`per cent apart at ${apart.length} looks: ${apart.join(' ')}`);
  expect(apart.length).toBeGreaterThan(3);
  expect(Math.max(...apart)).toBeLessThanOrEqual(15);

  // The first one pauses; the second has the file too, and goes on from there.
  await panel.get('pause-all').click();
  await state(other, 'shared.bin', 'interrupted', 30_000);
  await drop(other, [path]);
  await state(other, 'shared.bin', 'complete');
  await state(panel, 'shared.bin', 'complete');
  await panel.get('file-menu-shared.bin').click();
  await panel.page.getByRole('menuitem', { name: 'Remove' }).click();
  await expect(other.get('file-shared.bin')).toHaveCount(0);
  await context.close();
});

test('names that are taken are asked about once, by keyboard', async ({
  panel
}) => {
  const { page } = panel;
  await panel.chooseTemplate('python-script-v1', 'python');
  const input = panel.get('file-input');
  await input.setInputFiles([file('a.csv', '1\n'), file('b.csv', '1\n')]);
  await state(panel, 'b.csv', 'complete');
  // The same bytes are no clash.
  await input.setInputFiles([file('a.csv', '1\n')]);
  await expect(panel.get('clash')).toHaveCount(0);
  await input.setInputFiles([
    file('a.csv', '2\n'),
    file('b.csv', '2\n'),
    file('c.csv', '2\n')
  ]);
  await expect(panel.get('clash')).toContainText('2 files of these names');
  await expect(panel.get('clash-keep')).toBeFocused();
  await expectAccessible(page, '.jp-slurmdash-Form');
  await expect(panel.get('file-c.csv')).toHaveCount(0);
  await page.keyboard.press('Enter');
  await state(panel, 'a (2).csv', 'complete');
  await state(panel, 'b (2).csv', 'complete');
  await state(panel, 'c.csv', 'complete');
  await input.setInputFiles([file('c.csv', '3\n')]);
  await expect(panel.get('clash')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(panel.get('clash')).toHaveCount(0);
});

test('a connection that breaks is gone on with by itself', async ({
  panel
}) => {
  test.setTimeout(120_000);
  const { page } = panel;
  await panel.chooseTemplate('python-script-v1', 'python');
  const path = put('long.bin', randomBytes(10 * MIB));
  const cdp = await line(page, NARROW);
  await drop(panel, [path]);
  await expect(panel.get('file-long.bin')).toContainText(/[3-9]\d %/);
  await cdp.send('Network.emulateNetworkConditions', {
    offline: true,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: -1
  });
  await state(panel, 'long.bin', 'waiting');
  await expect(panel.get('try-now')).toBeVisible();
  await cdp.detach();
  await state(panel, 'long.bin', 'complete');
});

test('10,000 small files in one drop', async ({ panel }) => {
  test.setTimeout(300_000);
  await panel.chooseTemplate('pytorch-training-v1', 'pytorch');
  const count = 10_000;
  for (let at = 0; at < count; at++) {
    put(`many/d${at % 100}/f${at}.txt`, `file ${at}\n`);
  }
  let requests = 0;
  panel.page.on('request', request => {
    requests += Number(request.url().includes('/upload/'));
  });
  const begin = Date.now();
  await drop(panel, [onDesk('many')]);
  await expect(panel.get('folder-many')).toContainText('10000 files', {
    timeout: 240_000
  });
  const seconds = (Date.now() - begin) / 1000;
  console.log(`10,000 files in ${seconds.toFixed(1)} s, ${requests} requests`);
  expect(requests).toBeLessThan(200);
  const drawn = await panel.page.getByRole('row').count();
  expect(drawn).toBeLessThan(100);
});

test('a name is text, a folder folds, and what fits no slot is said and kept', async ({
  panel
}) => {
  const { page } = panel;
  await panel.chooseTemplate('pytorch-training-v1', 'pytorch');
  const awkward = '<img src=x onerror=window.hurt=1>.txt';
  put(`d/${awkward}`, 'x');
  put('d/e/deep.txt', 'x');
  await drop(panel, [onDesk('d')]);
  await state(panel, `d/${awkward}`, 'complete');
  await expect(panel.get(`file-d/${awkward}`)).toContainText(awkward);
  expect(await page.evaluate(() => 'hurt' in window)).toBe(false);
  await expect(
    page.getByText('2 files fill no slot; they go with the job all the same.')
  ).toBeVisible();
  const grid = panel.get('other-files');
  await panel.get('folder-d').click();
  await expect(grid.getByRole('row')).toHaveCount(1);
  await grid.getByRole('row').focus();
  await page.keyboard.press('ArrowRight');
  await expect(grid.getByRole('row')).toHaveCount(4);

  // Into a slot by drag, out of it by drag.
  await panel.get('slot-config').evaluate(slot => slot.scrollIntoView());
  const from = await middle(panel.get('file-d/e/deep.txt'));
  const to = await middle(panel.get('slot-config'));
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x + 8, from.y - 8, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 8 });
  await page.mouse.up();
  await expect(
    panel.get('slot-config').getByTestId('slurmdash-file-d/e/deep.txt')
  ).toBeVisible();
  const back = await middle(panel.get('file-d/e/deep.txt'));
  const others = await middle(grid);
  await page.mouse.move(back.x, back.y);
  await page.mouse.down();
  await page.mouse.move(back.x + 8, back.y + 8, { steps: 4 });
  await page.mouse.move(others.x, others.y, { steps: 8 });
  await page.mouse.up();
  await expect(grid.getByRole('row')).toHaveCount(4);

  await grid.getByRole('row').first().focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Delete');
  await expect(grid.getByRole('row')).toHaveCount(3);
});

test("files of the cluster are chosen in JupyterLab's file browser, and stay where they are", async ({
  panel
}) => {
  const { page } = panel;
  writeFileSync(
    join(process.env.SLURMDASH_HOME!, 'root', 'there.py'),
    'print(1)\n'
  );
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel.get('path-browse').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('there.py').click();
  await dialog.getByRole('button', { name: 'Select' }).click();
  await expect(panel.get('slot-script')).toHaveAttribute('data-state', 'ok');
  await expect(
    panel.get('file-there.py').getByText('there.py')
  ).toHaveAttribute('title', /root\/there\.py$/);
});
