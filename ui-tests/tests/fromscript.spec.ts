import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { expectAccessible } from './accessible';
import { OUT, THEMES } from './artifacts';
import { ask, askJupyter } from './ask';
import { expect, file, test, type Panel } from './panel';

const SCRIPT = [
  '#!/bin/bash',
  '# Counts to three',
  '#SBATCH --job-name=NAME --account=secret-project',
  '#SBATCH --ntasks=1 --time=5 --open-mode=append',
  '',
  'for n in 1 2 3; do echo "$n"; done',
  'cat /data/root/table.csv || true',
  ''
].join('\n');

async function showLibrary(panel: Panel): Promise<void> {
  await panel.toggle('New job');
  await panel.toggle('Jobs');
  await panel.toggle('Templates');
}

/** Whether a workspace has the tab of a template that is not saved yet. */
function knowsDraft(workspace: string | null): boolean {
  const { data } = JSON.parse(workspace ?? '{}') as {
    data?: Record<string, unknown>;
  };
  const layout = JSON.stringify(data?.['layout-restorer:data'] ?? {});
  return layout.includes('slurmdash-templates:new');
}

const editorOf = (page: Page) =>
  page.locator('.jp-slurmdash-TemplateEditor:visible');

for (const [mode, theme] of THEMES) {
  for (const width of [320, 1280]) {
    test(`a pasted script becomes a template by keyboard alone, ${width} px, ${mode}`, async ({
      panel
    }) => {
      const { page } = panel;
      const name = `paste-${mode}-${width}`;
      const shoot = (what: string) =>
        page.screenshot({
          path: join(OUT, `fromscript-${what}-${width}-${mode}.png`)
        });
      await panel.setTheme(theme);
      await panel.setWidth(320);
      await showLibrary(panel);

      await panel.get('template-script').focus();
      await page.keyboard.press('Enter');
      const box = panel.get('script-text');
      await expect(box).toBeFocused();

      // One that cannot be read: it stays, with its line.
      await page.keyboard.insertText('#!/bin/bash\n#SBATCH hetjob\n');
      await page.keyboard.press('Control+Enter');
      const form = page.locator('.jp-slurmdash-ScriptForm');
      await expect(form.getByRole('alert')).toContainText(
        'Line 2 of the script'
      );
      await expect(box).toHaveValue('#!/bin/bash\n#SBATCH hetjob\n');
      await shoot('refused');
      await expectAccessible(page, '#jp-slurmdash-templates');

      await box.focus();
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText(SCRIPT.replace('NAME', name));
      await page.keyboard.press('Control+Enter');
      const editor = editorOf(page);
      await expect(editor.getByRole('heading', { level: 2 })).toHaveText(name);
      await expect(form).toBeHidden();
      if (width === 320) {
        await page.setViewportSize({ width: 320 + 82, height: 900 });
        await page.getByRole('tab', { name: 'Slurm', exact: true }).click();
      }
      const notes = panel.get('editor-notes');
      await expect(notes).toContainText('--account is left out');
      await expect(notes).toContainText('--open-mode has no field');
      await expect(panel.get('no-problems')).toBeVisible();
      await expect(panel.get('field-slurm-time')).toHaveValue('5');
      await shoot('notes');
      await expectAccessible(page, '.jp-slurmdash-TemplateEditor');

      // A note leads to its place.
      await notes
        .getByRole('button', { name: /^Show the place of: --open-mode/ })
        .press('Enter');
      await expect(panel.get('yaml')).toContainText('open-mode: append');
      await expect(panel.get('yaml')).not.toContainText('secret-project');

      await panel.get('editor-notes-done').press('Enter');
      await expect(notes).toBeHidden();
      await panel.get('editor-save').press('Enter');
      await expect(panel.get('editor-script')).toContainText(
        '#SBATCH --open-mode=append'
      );
      await expect(panel.get('editor-script')).toContainText(
        '# Counts to three'
      );
      await shoot('saved');
    });
  }
}

test('the notes are there again after a reload', async ({ panel }) => {
  const { page } = panel;
  await showLibrary(panel);
  await panel.get('template-script').click();
  await panel.get('script-text').fill(SCRIPT.replace('NAME', 'reloaded'));
  // JupyterLab opens again the tabs that its workspace knows, and saves that a little later.
  const saved = page.waitForRequest(
    request =>
      request.method() === 'PUT' &&
      request.url().includes('api/workspaces') &&
      knowsDraft(request.postData())
  );
  await panel.get('script-submit').click();
  await expect(panel.get('editor-notes')).toBeVisible();
  await (await saved).response();
  await page.reload();
  await expect(panel.get('editor-notes')).toContainText('--account', {
    timeout: 60_000
  });
});

test('a script from a file of this computer, and Escape', async ({ panel }) => {
  const { page } = panel;
  await showLibrary(panel);
  await panel.get('template-script').click();
  await panel.get('script-text').fill('not yet');
  await page.keyboard.press('Escape');
  await expect(panel.get('script-text')).toBeHidden();
  await expect(panel.get('template-script')).toBeFocused();
  await page.keyboard.press('Enter');
  await panel
    .get('script-file')
    .setInputFiles(file('my run.sbatch', '#!/bin/bash\necho chosen\n'));
  await expect(panel.get('script-text')).toHaveValue(/echo chosen/);
  await panel.get('script-submit').click();
  const editor = editorOf(page);
  await expect(editor.getByRole('heading', { level: 2 })).toHaveText('my run');
});

test('a script of the file browser', async ({ panel }) => {
  const { page } = panel;
  for (const name of ['browser-run.sh', 'notes.txt']) {
    const made = await askJupyter('PUT', `api/contents/${name}`, {
      type: 'file',
      format: 'text',
      content: '#!/bin/bash\n#SBATCH --ntasks=2\necho from the browser\n'
    });
    expect(made.ok).toBe(true);
  }
  await page.getByRole('tab', { name: /^File Browser/ }).click();
  const item = (name: string) =>
    page.locator('.jp-DirListing-item').filter({ hasText: name });
  const offer = page
    .locator('.lm-Menu-item:visible')
    .filter({ hasText: /^Make a Slurm Template/ });
  await item('notes.txt').click({ button: 'right' });
  await expect(page.locator('.lm-Menu-item:visible').first()).toBeVisible();
  await expect(offer).toHaveCount(0);
  await page.keyboard.press('Escape');
  await item('browser-run.sh').click({ button: 'right' });
  await offer.click();
  const editor = editorOf(page);
  await expect(editor.getByRole('heading', { level: 2 })).toHaveText(
    'browser-run'
  );
  await expect(panel.get('field-slurm-ntasks')).toHaveValue('2');
});

test('a finished job becomes a template', async ({ panel }) => {
  const { page } = panel;
  const answer = await ask('POST', 'jobs/submit', {
    job_name: 'seven lines',
    script: 'seq 7',
    options: { time: '3', account: 'secret-project' }
  });
  const { job_id: id } = (await answer.json()) as { job_id: string };
  const row = panel.get(`job-${id}`);
  await expect(row).toHaveAttribute('data-state', 'COMPLETED', {
    timeout: 30_000
  });
  await row.click();
  await expect(panel.get('job-template')).toBeVisible();
  await page.screenshot({ path: join(OUT, 'fromscript-job.png') });
  await panel.get('job-template').press('Enter');
  const editor = editorOf(page);
  await expect(editor.getByRole('heading', { level: 2 })).toHaveText(
    'seven lines'
  );
  await expect(panel.get('field-slurm-time')).toHaveValue('3');
  await expect(panel.get('editor-notes')).toContainText(
    '--account is left out'
  );
  await panel.get('editor-save').click();
  await expect(panel.get('editor-script')).toContainText('seq 7');
  await expect(panel.get('editor-script')).not.toContainText('secret-project');
});
