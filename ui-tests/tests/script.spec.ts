import { join } from 'node:path';

import { expectAccessible } from './accessible';
import { OUT, THEMES } from './artifacts';
import { ask } from './ask';
import { expect, file, test, type Panel } from './panel';

const HAND = 'echo "typed by hand"';

/** A form with a script that could be submitted. */
async function fill(panel: Panel): Promise<void> {
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel.get('file-input').setInputFiles(file('a.py', 'print(1)\n'));
  await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'false');
}

/** The script as it is in sight while nobody edits it. */
function seen(panel: Panel): Promise<string> {
  return panel
    .get('script')
    .evaluate(box =>
      [...box.children].map(line => line.textContent ?? '').join('')
    );
}

/** Put the cursor behind a line of the editor, by the keyboard's own ways. */
async function behind(panel: Panel, line: string | RegExp): Promise<void> {
  const { page } = panel;
  await panel
    .get('script-editor')
    .locator('.cm-line')
    .filter({ hasText: line })
    .first()
    .click();
  await page.keyboard.press('End');
}

async function edit(panel: Panel): Promise<void> {
  await panel.get('script-edit').click();
  await expect(
    panel.get('script-editor').locator('.cm-line').first()
  ).toHaveText('#!/bin/bash');
}

test('a line tells its field, and a field its line, by mouse and keys', async ({
  panel
}) => {
  const { page } = panel;
  await fill(panel);
  const script = panel.get('script');
  const line = (text: string) =>
    script.getByRole('option').filter({ hasText: text });
  const boxOf = (id: string) =>
    page.locator('.jp-slurmdash-Field').filter({ has: panel.get(id) });

  await line('--cpus-per-task').hover();
  await expect(boxOf('option-cpus_per_task')).toHaveAttribute(
    'data-marked',
    ''
  );
  await panel.get('option-time').hover();
  await expect(boxOf('option-cpus_per_task')).not.toHaveAttribute(
    'data-marked',
    ''
  );
  await expect(line('--time')).toHaveClass(/jp-mod-lit/);

  await panel.get('option-mem').focus();
  await panel.get('option-mem').fill('3G');
  await expect(panel.get('script-spoken')).toHaveText(
    /Line \d+ of the script: #SBATCH --mem=3G/
  );
  await script.focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  for (let step = 0; step < 12; step++) {
    const id = await script.getAttribute('aria-activedescendant');
    const origin = await page
      .locator(`[id="${id}"]`)
      .getAttribute('data-origin');
    if (origin === '/options/time') {
      break;
    }
    await page.keyboard.press('ArrowDown');
  }
  await expect(
    page.getByRole('option', { name: /--time=.* — Time limit/, selected: true })
  ).toBeVisible();
  await expect(boxOf('option-time')).toHaveAttribute('data-marked', '');
  await page.keyboard.press('Enter');
  await expect(panel.get('option-time')).toBeFocused();
});

test('what is typed in the script goes to the form, the rest is kept, and just that is submitted', async ({
  panel
}) => {
  // The whole way, with a reload and a job.
  test.slow();
  const { page } = panel;
  await fill(panel);
  await panel.get('option-mem').fill('1G');
  await expect(panel.get('script')).toContainText('--mem=1G');
  await edit(panel);
  await behind(panel, '--mem=1G');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('2G');
  await page.keyboard.press('Enter');
  await page.keyboard.type('#SBATCH --signal=USR1@60');
  await expect(panel.get('option-mem')).toHaveValue('2G');
  await behind(panel, /^set -e/);
  await page.keyboard.press('Enter');
  await page.keyboard.type(HAND);
  // The text ends where the editor ends, whatever was measured meanwhile.
  const blank = await panel.get('script-editor').evaluate(host => {
    const content = host.querySelector('.cm-content')!;
    const last = content.lastElementChild!;
    return (
      content.getBoundingClientRect().bottom -
      last.getBoundingClientRect().bottom
    );
  });
  expect(blank).toBeLessThan(20);
  // No trap for the keyboard.
  const editor = panel.get('script-editor').locator('.cm-content');
  await expect(editor).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await expect(editor).not.toBeFocused();
  await expect(panel.get('script-hand')).toContainText('2 lines are kept');
  await panel.get('script-edit').click();
  await expect(
    page.getByRole('option', { name: `${HAND} — kept by hand` })
  ).toBeVisible();

  // The form goes on around what was written by hand.
  await panel.get('option-mem').fill('64M');
  await panel.get('job-name').fill('by hand');
  const script = panel.get('script');
  await expect(script).toContainText('--mem=64M');
  await expect(script).toContainText('--job-name="by hand"');
  await expect(script).toContainText('--signal=USR1@60');
  await expect(script).toContainText(HAND);

  await page.reload();
  await panel.show();
  await expect(script).toContainText(HAND);
  await expect(panel.get('script-hand')).toContainText('2 lines are kept');
  await expect(panel.get('option-mem')).toHaveValue('64M');
  await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'false');
  const before = await seen(panel);
  const answer = page.waitForResponse(/api\/jobs\/submit$/);
  await panel.get('submit').click();
  const { job_id: id } = await (await answer).json();
  await expect(panel.get('submitted-job')).toBeVisible();
  const submitted = await ask('GET', `jobs/${id}/script`);
  expect(await submitted.text()).toBe(before);
});

test('back to the generated script, and undone', async ({ panel }) => {
  const { page } = panel;
  await fill(panel);
  const generated = await seen(panel);
  await edit(panel);
  await behind(panel, /^set -e/);
  await page.keyboard.press('Enter');
  await page.keyboard.type(HAND);
  await panel.get('script-edit').click();
  await expect(panel.get('script-hand')).toContainText('1 line is kept');
  await panel.get('script-drop').click();
  await expect(panel.get('script-hand')).toHaveCount(0);
  expect(await seen(panel)).toBe(generated);
  await page.reload();
  await panel.show();
  await panel.get('script-undo').click();
  await expect(panel.get('script')).toContainText(HAND);
});

test('where form and hand want different things it asks', async ({ panel }) => {
  const { page } = panel;
  await fill(panel);
  await panel.get('option-mem').fill('1G');
  await expect(panel.get('script')).toContainText('--mem=1G');
  await edit(panel);
  await behind(panel, '--mem=1G');
  await page.keyboard.press('Shift+Home');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  await panel.get('script-edit').click();
  await expect(panel.get('script-hand')).toContainText('took out');
  await panel.get('option-mem').fill('2G');
  const conflict = panel.get('conflict-0');
  await expect(conflict).toContainText('--mem=2G');
  await expect(panel.get('script')).not.toContainText('--mem');
  await page.reload();
  await panel.show();
  await expect(conflict).toContainText('--mem=2G');
  await page
    .getByRole('button', { name: /yours and the form’s differ/ })
    .click();
  await expect(conflict).toBeFocused();
  await page.screenshot({ path: join(OUT, 'script-conflict.png') });
  await conflict.getByRole('button', { name: 'Take the form’s' }).click();
  await expect(conflict).toHaveCount(0);
  await expect(panel.get('script')).toContainText('--mem=2G');
});

for (const [mode, theme] of THEMES) {
  test(`script in ${mode}: axe and pictures`, async ({ panel }) => {
    // Audits and pictures of everything.
    test.slow();
    const { page } = panel;
    await panel.setTheme(theme);
    await panel.setWidth(320);
    const audit = async (selector: string) => {
      // A changed line glows; the colours of in between are not to be judged.
      await page.waitForFunction(() =>
        document
          .getAnimations()
          .every(
            one => (one as CSSAnimation).animationName !== 'jp-slurmdash-glow'
          )
      );
      await expectAccessible(page, selector);
    };
    await fill(panel);
    await edit(panel);
    await behind(panel, /^set -e/);
    await page.keyboard.press('Enter');
    await page.keyboard.type(HAND);
    await expect(panel.get('script-hand')).toContainText('1 line');
    const shoot = (name: string) =>
      page.locator('#jp-slurmdash-panel').screenshot({
        path: join(OUT, `script-${name}-320-${mode}.png`)
      });
    await shoot('editor');
    await audit('.jp-slurmdash-NewJob');
    await panel.get('script-edit').click();
    await panel.get('script').scrollIntoViewIfNeeded();
    await panel.get('script').getByText('--time').hover();
    await shoot('lines');
    await audit('.jp-slurmdash-NewJob');
    await panel.get('option-partition').scrollIntoViewIfNeeded();
    await panel.get('option-time').focus();
    await shoot('limits');

    await panel.get('new-job-tab-button').click();
    await page.getByRole('tab', { name: 'Slurm', exact: true }).click();
    await page.setViewportSize({ width: 1282, height: 900 });
    await panel.get('option-cpus_per_task').focus();
    await page.screenshot({ path: join(OUT, `script-wide-${mode}.png`) });
    await panel.get('script').getByText('--time').hover();
    await page.screenshot({ path: join(OUT, `script-wide-line-${mode}.png`) });
    await panel.get('script-edit').click();
    await page.screenshot({ path: join(OUT, `script-wide-edit-${mode}.png`) });
    await audit('.jp-slurmdash-NewJob');
  });
}
