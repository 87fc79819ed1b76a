import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { TOKEN } from '../server';
import { expectAccessible } from './accessible';
import { OUT, THEMES } from './artifacts';
import { writeNotebook } from './notebook';
import { withServer } from './own';
import { expect, Panel, test as base } from './panel';

/** The field for files in a notebook: real kernel, real server, and the bytes past the kernel. */

const MIB = 1024 * 1024;
/** Milliseconds that a busy machine may take to open a notebook, or to start its kernel. */
const SLOW = 90_000;

const test = base.extend<{ panel: Panel }>({
  panel: async ({ page }, use) => {
    const panel = new Panel(page);
    page.on('pageerror', error =>
      panel.faults.push(error.stack ?? error.message)
    );
    await use(panel);
    // Notebook 7 reads a setting of its own before it is there: a fault of its start, in its own file.
    const ours = panel.faults.filter(
      fault => !fault.includes('/static/notebook/notebook_core.')
    );
    expect(ours).toEqual([]);
  }
});

const server = withServer(home => {
  const connect = `dash = sd.connect(scheduler="local", data_dir="${home}/data", work_root="${home}/work")`;
  writeNotebook(join(home, 'root', 'drop.ipynb'), [
    [
      'import time, jupyter_slurmdash as sd',
      connect,
      'drop = dash.file_drop()',
      'drop'
    ],
    // The kernel is busy, and hears nothing of the page, until the last byte is on the disk.
    [
      'while not drop.ready:',
      '    time.sleep(0.05)',
      'file = drop.session.files[0]',
      'print("there:", file.name, file.size, file.sha256)'
    ],
    ['print("told:", [(row["name"], row["state"]) for row in drop.files])'],
    [
      'job = dash.submit(script="cat *.csv", files=drop).wait()',
      'print("job:", job.tail())'
    ]
  ]);
  writeNotebook(join(home, 'root', 'form.ipynb'), [
    [
      'import jupyter_slurmdash as sd',
      connect,
      'form = dash.form("python-script-v1")',
      'form'
    ],
    ['print("session:", form.spec().session_id == form.drop.session_id)']
  ]);
  return [];
});

async function open(page: Page, notebook: string, name: string): Promise<void> {
  await page.goto(
    `${server().url}lab/workspaces/${name}/tree/${notebook}?token=${TOKEN}`
  );
  await page.waitForSelector('#jupyterlab-splash', { state: 'detached' });
  await expect(page.locator('.jp-Notebook .jp-Cell').first()).toBeVisible({
    timeout: SLOW
  });
  await page.locator('.jp-Cell .cm-content').first().click();
  await expect(page.locator('.jp-Notebook-ExecutionIndicator')).toHaveAttribute(
    'data-status',
    'idle',
    { timeout: SLOW }
  );
}

/** The panel beside the notebook has the same field. */
function inside(page: Page, id: string) {
  return page.getByTestId('slurmdash-file-drop').getByTestId(`slurmdash-${id}`);
}

async function run(page: Page, cell: number): Promise<void> {
  await page.locator('.jp-Cell .cm-content').nth(cell).click();
  await page.keyboard.press('Shift+Enter');
}

function output(page: Page, cell: number) {
  return page.locator('.jp-Cell').nth(cell).locator('.jp-OutputArea-output');
}

for (const [mode, theme] of THEMES) {
  test(`a file goes past a busy kernel, which finds it in its session, ${mode}`, async ({
    panel
  }) => {
    test.setTimeout(4 * SLOW);
    const { page } = panel;
    await open(page, 'drop.ipynb', `drop-${mode}`);
    await panel.setTheme(theme);
    await run(page, 0);
    const field = panel.get('file-drop');
    await expect(field).toBeVisible({ timeout: SLOW });
    await expect(field).toHaveAttribute('aria-busy', 'false');
    await run(page, 1);

    const patches: string[] = [];
    page.on('request', request => {
      if (request.url().includes('/api/v2/upload/')) {
        patches.push(request.method());
      }
    });
    const data = randomBytes(24 * MIB);
    const path = join(server().home, 'data.csv');
    writeFileSync(path, data);
    await inside(page, 'file-input').setInputFiles(path);
    const digest = createHash('sha256').update(data).digest('hex');
    await expect(output(page, 1)).toContainText(
      `there: data.csv ${data.length} ${digest}`,
      { timeout: SLOW }
    );
    expect(
      patches.some(method => method === 'POST' || method === 'PATCH')
    ).toBe(true);
    console.log(
      `${mode}: 24 MiB past a busy kernel in ${patches.length} requests, SHA-256 equal`
    );
    await expect(inside(page, 'file-data.csv')).toHaveAttribute(
      'data-state',
      'complete'
    );
    await expectAccessible(page, '.jp-slurmdash-FileDrop');
    await page.screenshot({ path: join(OUT, `filedrop-${mode}.png`) });
    await run(page, 2);
    await expect(output(page, 2)).toContainText(
      "told: [('data.csv', 'complete')]",
      { timeout: 30_000 }
    );
  });
}

test('by keys alone, then submitted', async ({ panel }) => {
  test.setTimeout(4 * SLOW);
  const { page } = panel;
  // Playwright takes the dialog over from the first listener on, and does not wait until the browser knows.
  page.on('filechooser', () => undefined);
  await open(page, 'drop.ipynb', 'drop-keys');
  await run(page, 0);
  const field = panel.get('file-drop');
  await expect(field).toHaveAttribute('aria-busy', 'false', { timeout: SLOW });
  const choose = field.getByRole('button', { name: 'Choose files' });
  await choose.focus();
  const chooser = page.waitForEvent('filechooser');
  await page.keyboard.press('Enter');
  await (
    await chooser
  ).setFiles({
    name: 'small.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('1,2\n')
  });
  const row = inside(page, 'file-small.csv');
  await expect(row).toHaveAttribute('data-state', 'complete');
  // Letters that are a notebook's shortcuts in command mode are only letters here.
  await inside(page, 'path-input').focus();
  await page.keyboard.type('dd');
  await expect(page.locator('.jp-Notebook .jp-Cell')).toHaveCount(4);
  await run(page, 3);
  await expect(output(page, 3)).toContainText('job: 1,2', { timeout: SLOW });

  // A reload of the page finds the uploads again.
  await page.keyboard.press('Control+s');
  await expect(page.locator('.jp-NotebookPanel .jp-mod-dirty')).toHaveCount(0);
  await page.reload();
  await page.waitForSelector('#jupyterlab-splash', { state: 'detached' });
  await expect(inside(page, 'file-small.csv')).toHaveAttribute(
    'data-state',
    'complete',
    { timeout: SLOW }
  );
});

test('in Notebook 7', async ({ panel }) => {
  test.setTimeout(4 * SLOW);
  const { page } = panel;
  const answer = await page.request.get(`${server().url}tree?token=${TOKEN}`);
  test.skip(answer.status() === 404, 'notebook is not installed');
  await page.goto(`${server().url}notebooks/drop.ipynb?token=${TOKEN}`);
  await expect(page.locator('.jp-Notebook .jp-Cell').first()).toBeVisible({
    timeout: SLOW
  });
  await expect(page.locator('.jp-Notebook-ExecutionIndicator')).toHaveAttribute(
    'data-status',
    'idle',
    { timeout: SLOW }
  );
  await run(page, 0);
  await expect(panel.get('file-drop')).toHaveAttribute('aria-busy', 'false', {
    timeout: SLOW
  });
  await run(page, 1);
  await inside(page, 'file-input').setInputFiles({
    name: 'seven.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('7\n')
  });
  await expect(output(page, 1)).toContainText('there: seven.csv 2 ', {
    timeout: SLOW
  });
  await page.screenshot({ path: join(OUT, 'filedrop-notebook7.png') });
});

test('in the form, in Korean', async ({ panel }) => {
  test.setTimeout(4 * SLOW);
  const { page } = panel;
  const put = (locale: string) =>
    page.request.put(
      `${server().url}lab/api/settings/@jupyterlab/translation-extension:plugin?token=${TOKEN}`,
      { data: { raw: JSON.stringify({ locale }) } }
    );
  expect((await put('ko_KR')).ok()).toBe(true);
  await open(page, 'form.ipynb', 'drop-form');
  await run(page, 0);
  const field = panel.get('file-drop');
  await expect(field).toHaveAttribute('aria-busy', 'false', { timeout: SLOW });
  await inside(page, 'file-input').setInputFiles({
    name: 'main.py',
    mimeType: 'text/x-python',
    buffer: Buffer.from('print("from the form")\n')
  });
  await expect(inside(page, 'slot-script')).toHaveAttribute('data-state', 'ok');
  await expect(field).toContainText('파일');
  await page.screenshot({ path: join(OUT, 'filedrop-form.png') });
  await run(page, 1);
  await expect(output(page, 1)).toContainText('session: True');
  await page.getByRole('button', { name: 'Submit' }).click();
  await expect(page.locator('.jp-Notebook')).toContainText('COMPLETED', {
    timeout: SLOW
  });
});
