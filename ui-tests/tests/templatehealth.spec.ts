import { join } from 'node:path';

import type { Locator } from '@playwright/test';

import { expectAccessible } from './accessible';
import { OUT, THEMES } from './artifacts';
import { asked } from './ask';
import { expect, test, type Panel } from './panel';

const yaml = (id: string, main: string) =>
  [
    'template:',
    `  id: ${id}`,
    `  name: ${id}`,
    `  display_name: Health ${id}`,
    '  description: Says hello to whoever reads its log.',
    'script:',
    `  main_exec: "${main}"`,
    ''
  ].join('\n');

async function save(id: string, main: string): Promise<void> {
  const known = await asked('GET', `v2/templates/${id}`);
  const { hash } = (await known.json()) as { hash: string };
  await asked(
    'PUT',
    `v2/templates/${id}`,
    { text: yaml(id, main) },
    { 'If-Match': `"${hash}"` }
  );
}

async function showLibrary(panel: Panel): Promise<void> {
  await panel.toggle('New job');
  await panel.toggle('Jobs');
  await panel.toggle('Templates');
}

async function menu(panel: Panel, id: string, item: RegExp): Promise<void> {
  await panel.get(`template-menu-${id}`).click();
  await panel.page
    .locator('.lm-Menu-item:visible')
    .filter({ hasText: item })
    .click();
}

/** The steps that are shown, by name: how each stands. */
const steps = (list: Locator) =>
  list
    .locator('li')
    .evaluateAll(items =>
      Object.fromEntries(
        items.map(item => [
          (item as HTMLElement).dataset.step,
          (item as HTMLElement).dataset.level
        ])
      )
    );

test('a template is checked from the list, from its page, and shows its age and what it found', async ({
  panel
}) => {
  const { page } = panel;
  await asked('POST', 'v2/templates', { text: yaml('sound', 'echo hello') });
  await showLibrary(panel);
  await panel.get('templates-search').fill('sound');
  await expect(panel.get('template-sound')).toBeVisible();
  await expect(panel.get('template-check-sound')).toHaveCount(0);

  await menu(panel, 'sound', /^Check now$/);
  const badge = panel.get('template-check-sound');
  await expect(badge).toHaveAttribute('data-level', 'ok');
  await expect(badge).toHaveText('checked just now');

  await menu(panel, 'sound', /^Edit$/);
  const mark = panel.get('template-health');
  await expect(mark).toHaveText('checked just now');
  const list = panel.get('template-steps');
  await expect
    .poll(() => steps(list))
    .toEqual({
      schema: 'ok',
      image: 'ok',
      script: 'ok',
      resources: 'ok',
      slurm: 'ok'
    });

  // Changed on the disk: the list and the page say that the check was of another text.
  await save('sound', 'if true');
  await expect(badge).toHaveText('not checked since it was changed');
  await expect(mark).toHaveText('not checked since it was changed');

  // By keys.
  await panel.get('template-check-now').focus();
  await page.keyboard.press('Enter');
  await expect(mark).toHaveAttribute('data-level', 'error');
  await expect(mark).toContainText('does not work, checked');
  await expect(badge).toHaveAttribute('data-level', 'error');
  await expect(list).toContainText('The script is not valid bash');
  await expect(list).toContainText('Change the section script');
  expect(await steps(list)).toMatchObject({ schema: 'ok', script: 'error' });
  await expectAccessible(page, '.jp-slurmdash-TemplateEditor');
  await expectAccessible(page, '#jp-slurmdash-templates');
});

test('what became of the jobs stands in the list and on the page', async ({
  panel
}) => {
  const { page } = panel;
  await asked('POST', 'v2/templates', { text: yaml('counted', 'exit 3') });
  await showLibrary(panel);
  await panel.get('templates-search').fill('counted');
  const row = panel.get('template-counted');
  await expect(row).toBeVisible();
  await expect(row).not.toContainText('ended well');
  await menu(panel, 'counted', /^Edit$/);
  await expect(panel.get('template-health')).toHaveText('not checked yet');
  await expect(panel.get('template-runs')).toHaveCount(0);
  for (const main of ['exit 3', 'echo hello']) {
    await save('counted', main);
    const { job_id } = (await (
      await asked('POST', 'jobs/submit', { template_id: 'counted' })
    ).json()) as { job_id: string };
    await expect
      .poll(async () => {
        const job = await (await asked('GET', `jobs/${job_id}`)).json();
        return (job as { state: string }).state;
      })
      .toMatch(/COMPLETED|FAILED/);
  }
  // By itself, for the jobs have ended while the page was open.
  await expect(row).toContainText('1 of 2 ended well');
  await expect(panel.get('template-runs')).toContainText(
    /1 of 2 ended well; median wait \d+ s, run \d+ s/
  );
  await panel.get('template-check-now').click();
  await expect(panel.get('template-health')).toHaveAttribute(
    'data-level',
    'ok'
  );
  for (const [name, theme] of THEMES) {
    await panel.setTheme(theme);
    await panel.setWidth(320);
    await page.screenshot({ path: join(OUT, `health-320-${name}.png`) });
    await panel.setWidth(480);
    await page.screenshot({ path: join(OUT, `health-480-${name}.png`) });
  }
  await panel.setTheme('JupyterLab Light');
});

test('the official set is checked by one command', async ({ panel }) => {
  const { page } = panel;
  await showLibrary(panel);
  await expect(panel.get('template-shell-script-v1')).toBeVisible();
  await page.evaluate(() =>
    (
      window as unknown as {
        jupyterapp: { commands: { execute(id: string): Promise<void> } };
      }
    ).jupyterapp.commands.execute('slurmdash:templates-check-official')
  );
  await expect(panel.get('template-check-shell-script-v1')).toHaveText(
    /^checked/
  );
  // There is no partition gpu on this machine.
  await expect(panel.get('template-check-pytorch-training-v1')).toHaveAttribute(
    'data-level',
    'error'
  );
  await page.screenshot({ path: join(OUT, 'health-official-light.png') });
  await panel.setTheme('JupyterLab Dark');
  await page.screenshot({ path: join(OUT, 'health-official-dark.png') });
  await expectAccessible(page, '#jp-slurmdash-templates');
  await panel.setTheme('JupyterLab Light');
});
