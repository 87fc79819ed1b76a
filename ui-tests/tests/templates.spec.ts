import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Locator } from '@playwright/test';

import { expectAccessible } from './accessible';
import { OUT, THEMES } from './artifacts';
import { ask } from './ask';
import { expect, test, type Panel } from './panel';

const yamlOf = async (id: string) =>
  (await ask('GET', `v2/templates/export/${encodeURIComponent(id)}`)).text();

/** Save it as another editor of the same template would. */
async function saveElsewhere(id: string, text: string): Promise<void> {
  const known = await ask('GET', `v2/templates/${id}`);
  const { hash } = (await known.json()) as { hash: string };
  const answer = await ask(
    'PUT',
    `v2/templates/${id}`,
    { text },
    { 'If-Match': `"${hash}"` }
  );
  expect(answer.status).toBe(200);
}

const SMALL = (id: string) =>
  [
    '# Kept by hand',
    'template:',
    `  id: ${id}`,
    `  name: ${id}`,
    `  display_name: Test ${id}`,
    '  category: custom',
    '',
    'slurm:',
    '  nodes: 1  # one is enough',
    '  ntasks: 1',
    '',
    'files:',
    '  input_schema:',
    '    required:',
    '      - name: alpha',
    '        pattern: "*.a"',
    '      - name: beta',
    '        pattern: "*.b"',
    '',
    'script:',
    '  main_exec: |',
    '    echo one',
    ''
  ].join('\n');

async function make(id: string): Promise<void> {
  const answer = await ask('POST', 'v2/templates', { text: SMALL(id) });
  expect(answer.status).toBe(201);
}

async function showLibrary(panel: Panel): Promise<void> {
  await panel.toggle('New job');
  await panel.toggle('Jobs');
  await panel.toggle('Templates');
}

async function openEditor(panel: Panel, id: string): Promise<Locator> {
  await panel.get(`template-menu-${id}`).click();
  await panel.page
    .locator('.lm-Menu-item')
    .filter({ hasText: /^Edit$/ })
    .click();
  const editor = panel.page.locator('.jp-slurmdash-TemplateEditor:visible');
  await expect(editor.getByRole('heading', { level: 2 })).toBeVisible();
  return editor;
}

async function menu(panel: Panel, id: string, item: RegExp): Promise<void> {
  await panel.get(`template-menu-${id}`).click();
  await panel.page
    .locator('.lm-Menu-item:visible')
    .filter({ hasText: item })
    .click();
}

for (const [mode, theme] of THEMES) {
  for (const width of [320, 1280]) {
    test(`from the library to a shared template and back, ${width} px, ${mode}`, async ({
      panel
    }) => {
      const { page } = panel;
      const name = `Flow ${mode} ${width}`;
      const id = name.toLowerCase().replaceAll(' ', '-');
      const shoot = (what: string) =>
        page.screenshot({
          path: join(OUT, `templates-${what}-${width}-${mode}.png`)
        });
      await panel.setTheme(theme);
      await panel.setWidth(320);
      await showLibrary(panel);

      // Browse.
      await panel.get('templates-search').fill('python script');
      await expect(panel.get('template-python-script-v1')).toBeVisible();
      await panel.get('templates-search').fill('');
      await panel.get('templates-source').selectOption('official');
      await shoot('library');
      await expectAccessible(page, '#jp-slurmdash-templates');

      // Clone.
      await menu(panel, 'python-script-v1', /^Clone/);
      const box = panel.get('clone-name');
      await expect(box).toBeFocused();
      await box.fill(name);
      await shoot('clone');
      await expectAccessible(page, '#jp-slurmdash-templates');
      await box.press('Enter');
      const editor = page.locator('.jp-slurmdash-TemplateEditor:visible');
      await expect(editor.getByRole('heading', { level: 2 })).toHaveText(name);
      await expect(editor).toContainText('saved');
      if (width === 320) {
        await page.setViewportSize({ width: 320 + 82, height: 900 });
        await page.getByRole('tab', { name: 'Slurm', exact: true }).click();
      }
      await expect(panel.get('editor-script')).toContainText('#SBATCH');

      // Edit in the form; the text follows with its comments.
      await panel.get('field-slurm-ntasks').fill('2');
      await panel.get('field-template-tags').fill('flow, 한글');
      await panel.get('slot-add').click();
      await expect(page.locator('[data-slot="file"]')).toBeVisible();
      await expect(panel.get('no-problems')).toBeVisible();
      await shoot('form');
      await expectAccessible(page, '.jp-slurmdash-TemplateEditor');
      await panel.get('tab-yaml').click();
      const yaml = panel.get('yaml');
      await expect(yaml).toContainText('ntasks: 2');
      await shoot('yaml');
      await expectAccessible(page, '.jp-slurmdash-TemplateEditor');

      // Save; the preview is of what was saved.
      await page.keyboard.press('Tab');
      await panel.get('editor-save').click();
      await expect(panel.get('editor-script')).toContainText('--ntasks=2');

      // Share, from the library.
      if (width === 320) {
        await page.getByRole('tab', { name: 'Slurm', exact: true }).click();
      }
      await menu(panel, id, /^Share$/);
      await expect(panel.get('template-notice')).toContainText('is shared');
      await shoot('shared');
      await expect(panel.get(`template-${id}`)).toContainText('community');
      await expectAccessible(page, '#jp-slurmdash-templates');
      if (width === 320) {
        await page.getByRole('tab', { name: 'Slurm', exact: true }).click();
      }
      await expect(editor).toContainText('saved');

      // An old version, and forth again.
      await panel.get('tab-versions').click();
      const versions = panel.get('versions').locator('button[aria-expanded]');
      // The clone's text, and the one before it was shared.
      await expect(versions).toHaveCount(2);
      await panel.get('tab-form').click();
      await panel.get('field-slurm-ntasks').fill('3');
      await page.keyboard.press('Control+s');
      await expect(editor.getByText('saved', { exact: true })).toBeVisible();
      await panel.get('tab-versions').click();
      await expect(versions).toHaveCount(3);
      await versions.first().click();
      await expect(panel.get('diff')).toContainText('ntasks: 3');
      await shoot('versions');
      await expectAccessible(page, '.jp-slurmdash-TemplateEditor');
      await panel.get('version-restore').click();
      await expect(panel.get('version-restored')).toBeVisible();
      expect(await yamlOf(id)).toContain('ntasks: 2');
      await editor.getByRole('button', { name: 'Undo' }).click();
      await expect.poll(() => yamlOf(id)).toContain('ntasks: 3');
    });
  }
}

for (const [mode, theme] of THEMES) {
  for (const width of [320, 1280]) {
    test(`two editors at once, ${width} px, ${mode}`, async ({ panel }) => {
      const { page } = panel;
      const id = `clash-${mode}-${width}`;
      await make(id);
      await panel.setTheme(theme);
      await panel.setWidth(320);
      await showLibrary(panel);
      const editor = await openEditor(panel, id);
      if (width === 320) {
        await page.setViewportSize({ width: 320 + 82, height: 900 });
        await page.getByRole('tab', { name: 'Slurm', exact: true }).click();
      }
      await panel.get('field-slurm-nodes').fill('2');
      await panel.get('field-template-display_name').fill('Mine');
      await expect(panel.get('no-problems')).toBeVisible();
      await saveElsewhere(
        id,
        SMALL(id)
          .replace('nodes: 1 ', 'nodes: 8 ')
          .replace('echo one', 'echo theirs')
      );
      // The other's change shows at once, and nothing of ours is gone.
      await panel.get('editor-merge').click();
      const merge = panel.get('merge');
      await expect(merge).toContainText('You both changed this');
      await expect(merge).toContainText('echo theirs');
      await expect(panel.get('merge-apply')).toHaveAttribute(
        'aria-disabled',
        'true'
      );
      await page.screenshot({
        path: join(OUT, `templates-merge-${width}-${mode}.png`)
      });
      await expectAccessible(page, '.jp-slurmdash-TemplateEditor');
      const both = merge
        .locator('fieldset')
        .filter({ hasText: 'You both changed this' });
      await both.getByRole('radio', { name: 'Keep mine' }).focus();
      await page.keyboard.press('Space');
      await panel.get('merge-apply').press('Enter');
      await expect(merge).toHaveCount(0);
      await panel.get('editor-save').click();
      await expect(editor.getByText('saved', { exact: true })).toBeVisible();
      const saved = await yamlOf(id);
      for (const line of ['nodes: 2  # one is enough', 'Mine', 'echo theirs']) {
        expect(saved).toContain(line);
      }
      expect(saved).toContain('# Kept by hand');
    });
  }
}

test('a save that comes second is refused with a merge', async ({ panel }) => {
  const { page } = panel;
  await make('late');
  await showLibrary(panel);
  await openEditor(panel, 'late');
  // The news of the other save does not come through.
  await page.route('**/templates/export/late', route => route.abort());
  await panel.get('field-slurm-nodes').fill('2');
  await expect(panel.get('no-problems')).toBeVisible();
  await saveElsewhere('late', SMALL('late').replace('nodes: 1', 'nodes: 8'));
  await panel.get('editor-save').click();
  await expect(panel.get('merge')).toContainText('nodes: 8');
  await expect(panel.get('merge')).toContainText('nodes: 2');
});

test('what is broken is shown with its line, and nothing typed is lost by a reload', async ({
  panel
}) => {
  const { page } = panel;
  await make('broken-here');
  await showLibrary(panel);
  await openEditor(panel, 'broken-here');
  await panel.get('tab-yaml').click();
  const content = panel.get('yaml').locator('.cm-content');
  await content.getByText('nodes: 1').click();
  await page.keyboard.press('End');
  await page.keyboard.type('\nntasks: -5');
  const problems = panel.get('problems');
  await expect(problems).toContainText(/Line 1\d/);
  await expect(
    panel.get('yaml').locator('.jp-slurmdash-ErrorLine')
  ).toHaveCount(1);
  await page.screenshot({ path: join(OUT, 'templates-broken-1280-light.png') });
  await expectAccessible(page, '.jp-slurmdash-TemplateEditor');
  await problems.getByRole('button').first().click();
  await expect(content).toBeFocused();
  await expect(panel.get('editor-save')).toHaveAttribute(
    'aria-disabled',
    'true'
  );
  // At once after a key stroke.
  await page.keyboard.type(' # just typed');
  await page.reload();
  await panel.show();
  const editor = page.locator('.jp-slurmdash-TemplateEditor:visible');
  await expect(panel.get('editor-recovered')).toBeVisible();
  await panel.get('tab-yaml').click();
  await expect(content).toContainText('# just typed');
  await expect(content).toContainText('-5');
  await page.screenshot({
    path: join(OUT, 'templates-recovered-1280-light.png')
  });
  await editor.getByRole('button', { name: 'Back to the saved text' }).click();
  await expect(content).not.toContainText('-5');
});

test('text that is no YAML keeps the form shut, and opens it when mended', async ({
  panel
}) => {
  const { page } = panel;
  await make('no-yaml');
  await showLibrary(panel);
  const editor = await openEditor(panel, 'no-yaml');
  await panel.get('tab-yaml').click();
  await panel.get('yaml').getByText('nodes: 1').click();
  await page.keyboard.press('Home');
  await page.keyboard.type(']: ');
  await expect(panel.get('problems')).toContainText(/Line \d+, column \d+/);
  await panel.get('tab-form').click();
  await expect(editor).toContainText('cannot be read as YAML');
  await editor.getByRole('button', { name: 'Go to the line' }).click();
  await expect(panel.get('yaml').locator('.cm-content')).toBeFocused();
});

test('files are put in order by keys and by drag', async ({ panel }) => {
  const { page } = panel;
  await make('slots');
  await showLibrary(panel);
  await openEditor(panel, 'slots');
  const names = () =>
    page
      .locator('.jp-slurmdash-SlotCard[data-slot]')
      .evaluateAll(cards =>
        cards.map(card => (card as HTMLElement).dataset.slot)
      );
  expect(await names()).toEqual(['alpha', 'beta']);
  await panel.get('slot-up-1').focus();
  await page.keyboard.press('Enter');
  await expect.poll(names).toEqual(['beta', 'alpha']);
  await expect(panel.get('slot-up-0')).toBeFocused();
  await panel
    .get('slot-grip-1')
    .dragTo(panel.get('slotcard-0'), { targetPosition: { x: 60, y: 10 } });
  await expect.poll(names).toEqual(['alpha', 'beta']);
  await panel.get('slot-group-1').selectOption('Configuration, optional');
  await panel.get('slot-remove-0').click();
  await expect.poll(names).toEqual(['beta']);
  await panel.get('parameter-add').click();
  await panel.get('parameter-name-value').fill('epochs');
  await page
    .getByRole('group', { name: 'epochs' })
    .getByLabel('Type')
    .selectOption('integer');
  await page
    .getByRole('group', { name: 'epochs' })
    .getByLabel('At most')
    .fill('100');
  await panel.get('editor-save').click();
  await expect.poll(() => yamlOf('slots')).toContain('epochs:');
  const saved = await yamlOf('slots');
  expect(saved).toContain('maximum: 100');
  expect(saved).toContain('config_schema:');
  expect(saved).not.toContain('alpha');
  expect(saved).toContain('# one is enough');
});

test('by keys alone: find, clone, change, save', async ({ panel }) => {
  const { page } = panel;
  await showLibrary(panel);
  await panel.get('templates-search').focus();
  await page.keyboard.type('shell script');
  await page.keyboard.press('Tab');
  for (let at = 0; at < 12; at++) {
    if (
      await panel
        .get('template-menu-shell-script-v1')
        .evaluate(node => node === document.activeElement)
    ) {
      break;
    }
    await page.keyboard.press('Tab');
  }
  await expect(panel.get('template-menu-shell-script-v1')).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(panel.get('clone-name')).toBeFocused();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('By keys');
  await page.keyboard.press('Enter');
  const editor = page.locator('.jp-slurmdash-TemplateEditor:visible');
  await expect(editor.getByRole('heading', { level: 2 })).toHaveText('By keys');
  await panel.get('tab-form').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('By keys alone');
  await page.keyboard.press('Control+s');
  await expect(editor.getByRole('heading', { level: 2 })).toHaveText(
    'By keys alone'
  );
  await expect(editor.getByText('saved', { exact: true })).toBeVisible();
  await expect
    .poll(() => yamlOf('by-keys'))
    .toContain('display_name: By keys alone');
});

test('a file is imported by dropping it, a broken one can be mended, deleting can be undone', async ({
  panel
}) => {
  const { page } = panel;
  await showLibrary(panel);
  const drop = async (text: string) => {
    const data = await page.evaluateHandle(yaml => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([yaml], 'x.yaml'));
      return transfer;
    }, text);
    await page
      .locator('.jp-slurmdash-Library')
      .dispatchEvent('drop', { dataTransfer: data });
  };
  await drop(SMALL('dropped'));
  const editor = page.locator('.jp-slurmdash-TemplateEditor:visible');
  await expect(editor.getByRole('heading', { level: 2 })).toHaveText(
    'Test dropped'
  );
  await menu(panel, 'dropped', /^Delete$/);
  await expect(panel.get('template-notice')).toContainText('archive');
  await expect(panel.get('template-dropped')).toHaveCount(0);
  await expect(editor).toContainText('is in your archive');
  await panel.get('template-undo').click();
  await expect(panel.get('template-dropped')).toBeVisible();
  await expect(editor).not.toContainText('is in your archive');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    menu(panel, 'dropped', /^Export$/)
  ]);
  expect(download.suggestedFilename()).toBe('dropped.yaml');
  expect(readFileSync(await download.path(), 'utf8')).toBe(SMALL('dropped'));
  await drop(SMALL('dropped-bad').replace('nodes: 1', 'nodes: []'));
  await expect(panel.get('problems')).toContainText('Line 9');
});

test('a file written on the disk shows at once, a broken one with its reason', async ({
  panel
}) => {
  const { SLURMDASH_HOME: home } = process.env;
  test.skip(!home, 'only where the shelves are on this machine');
  const { page } = panel;
  await make('disk');
  const shelf = join(home!, 'data', 'templates', 'private');
  const file = join(shelf, readdirSync(shelf)[0], 'disk.yaml');
  expect(readFileSync(file, 'utf8')).toBe(SMALL('disk'));
  await showLibrary(panel);
  const editor = await openEditor(panel, 'disk');
  // When the name is on the page, by the page's own clock.
  await page.evaluate(() => {
    const seen = {} as Record<string, number>;
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const name = /By vim \d/.exec(document.body.textContent!)?.[0];
      if (name) {
        seen[name] ??= Date.now();
      }
    }).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true
    });
  });
  const took: number[] = [];
  for (let number = 1; number <= 5; number++) {
    const name = `By vim ${number}`;
    const written = Date.now();
    writeFileSync(file, SMALL('disk').replace('Test disk', name));
    await expect(panel.get('template-disk')).toContainText(name);
    const at = await page.evaluate(
      key => (window as unknown as { seen: Record<string, number> }).seen[key],
      name
    );
    took.push(at - written);
  }
  console.log(
    `a file written on the disk is in the panel after ${took.join(', ')} ms`
  );
  // The first counts: a user who changes a file once has no other.
  expect(took[0]).toBeLessThan(300);
  await expect(editor.getByRole('heading', { level: 2 })).toHaveText(
    'By vim 5'
  );
  writeFileSync(file, SMALL('disk').replace('nodes: 1', 'nodes: []'));
  await expect(panel.get('template-disk')).toContainText('broken');
  await expect(panel.get('template-disk')).toContainText('Line 9, column 3');
  await panel.get('templates-search').fill('disk');
  await page.screenshot({
    path: join(OUT, 'templates-reason-1280-light.png')
  });
  await expectAccessible(page, '#jp-slurmdash-templates');
  await panel.get('template-disk').click();
  await expect(panel.get('problems')).toContainText('Line 9, column 3');
});

test('the template manager speaks Korean', async ({ panel }) => {
  const { page } = panel;
  const { SLURMDASH_URL: url, SLURMDASH_TOKEN: token } = process.env;
  const headers = { Authorization: `token ${token}` };
  const packs = await page.request.get(`${url}lab/api/translations`, {
    headers
  });
  test.skip(
    !('ko_KR' in (await packs.json()).data),
    'jupyterlab-language-pack-ko-KR is not installed'
  );
  const setting = `${url}lab/api/settings/@jupyterlab/translation-extension:plugin`;
  const put = (locale: string) =>
    page.request.put(setting, {
      headers,
      data: { raw: JSON.stringify({ locale }) }
    });
  await make('korean');
  await put('ko_KR');
  try {
    await page.reload();
    await panel.show(/코어/);
    await panel.toggle('새 작업');
    await panel.toggle('템플릿');
    await panel.get('template-korean').scrollIntoViewIfNeeded();
    await panel.get('template-menu-korean').click();
    await page.locator('.lm-Menu-item').filter({ hasText: '편집' }).click();
    await expect(panel.get('editor-save')).toHaveText('저장');
    await panel.get('field-slurm-nodes').fill('x x');
    await page.waitForTimeout(600);
    await page.screenshot({ path: join(OUT, 'templates-korean.png') });
  } finally {
    await put('default');
  }
});
