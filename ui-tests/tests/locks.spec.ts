import { join } from 'node:path';

import { expectAccessible } from './accessible';
import { OUT, THEMES } from './artifacts';
import { ask } from './ask';
import { expect, test, type Panel } from './panel';

const TEMPLATE = `template: {id: locked-ui, name: locked-ui, display_name: Flow solver}
slurm: {time: "00:10:00", nodes: 1}
parameters:
  properties:
    optimizer: {enum: [adam, sgd], default: adam, title: Optimizer, description: How it steps}
    epochs: {type: integer, minimum: 1, default: 10, title: Epochs}
    warmup: {type: integer, minimum: 0, default: 1, title: Warm-up, x-maximum: epochs}
    cells: {type: integer, minimum: 1, maximum: 1000, default: 8, title: Cells}
    solver: {enum: [steady, transient], default: steady, title: Solver}
    debug: {type: boolean, default: false}
  if: {properties: {optimizer: {const: sgd}}}
  then: {properties: {momentum: {type: number, default: 0.9, maximum: 1, title: Momentum}, epochs: {maximum: 50}}}
locks:
  slurm:
    partition: {fixed: local, reason: The licence server is only reached from there.}
    time: {maximum: "00:30:00", reason: Longer runs block the others.}
    gres: {hidden: true}
  parameters:
    cells: {maximum: 100, reason: The licence is for 100 cells.}
    solver: {fixed: transient, reason: Only this one is licensed.}
    debug: {hidden: true}
script: {main_exec: 'echo "$OPTIMIZER $CELLS $SOLVER"'}
`;

async function save(): Promise<void> {
  const answer = await ask('POST', 'v2/templates/import', TEMPLATE, {
    'Content-Type': 'application/yaml'
  });
  expect([200, 201]).toContain(answer.status);
}

test.beforeEach(async ({ panel }) => {
  await save();
  await panel.page.reload();
  await panel.show();
});

/** Each import of the same text gets a number. */
async function choose(panel: Panel): Promise<void> {
  await panel.get('template-select').fill('Flow solver');
  await panel.page
    .locator('[data-testid^="slurmdash-template-option-locked-ui"]')
    .first()
    .click();
  await expect(panel.get('script')).toContainText('#SBATCH');
}

test('a field comes with another’s value, keeps what was typed, and is said', async ({
  panel
}) => {
  await choose(panel);
  const momentum = panel.get('parameter-momentum');
  await expect(momentum).toHaveCount(0);
  await panel.get('parameter-optimizer').selectOption('sgd');
  await expect(momentum).toHaveValue('0.9');
  await expect(panel.get('parameter-announced')).toHaveText(
    'New below: Momentum.'
  );
  await expect(panel.get('script')).toContainText('export MOMENTUM=0.9');
  await momentum.fill('0.5');
  await expect(panel.get('script')).toContainText('export MOMENTUM=0.5');
  await panel.get('parameter-optimizer').selectOption('adam');
  await expect(momentum).toHaveCount(0);
  await expect(panel.get('script')).not.toContainText('MOMENTUM');
  await panel.get('parameter-optimizer').selectOption('sgd');
  await expect(momentum).toHaveValue('0.5');
  // The bound is another field's value, at once and without the server.
  await panel.get('parameter-warmup').fill('12');
  await expect(panel.get('parameter-warmup')).toHaveAttribute(
    'aria-invalid',
    'true'
  );
  await panel.get('parameter-epochs').fill('20');
  await expect(panel.get('parameter-warmup')).not.toHaveAttribute(
    'aria-invalid',
    'true'
  );
  await panel.get('parameter-epochs').fill('60');
  await expect(panel.get('parameter-epochs')).toHaveAttribute(
    'aria-invalid',
    'true'
  );
});

for (const [name, theme] of THEMES) {
  test(`what is decided stands there with its reason (${theme})`, async ({
    panel
  }) => {
    // Four pictures and an audit.
    test.slow();
    const { page } = panel;
    await panel.setTheme(theme);
    await choose(panel);
    await expect(panel.get('option-partition')).toHaveValue('local');
    await expect(panel.get('option-partition')).toHaveAttribute('readonly', '');
    await expect(panel.get('parameter-solver')).toHaveValue('transient');
    await expect(panel.get('parameter-solver')).not.toBeEditable();
    await expect(panel.get('option-gres')).toHaveCount(0);
    await expect(panel.get('parameter-debug')).toHaveCount(0);
    const form = page.locator('.jp-slurmdash-NewJob').first();
    await expect(form).toContainText('The licence is for 100 cells.');
    await expect(form).toContainText('Longer runs block the others.');
    await panel.get('option-time').fill('1:00:00');
    await expect(panel.get('option-time')).toHaveAttribute(
      'aria-invalid',
      'true'
    );
    await panel.get('option-time').fill('0:20:00');
    await expect(panel.get('option-time')).not.toHaveAttribute(
      'aria-invalid',
      'true'
    );
    await panel.get('parameter-optimizer').selectOption('sgd');
    await expect(panel.get('script')).toContainText('MOMENTUM');
    for (const width of [320, 700]) {
      await panel.setWidth(width);
      for (const [part, field] of [
        ['parameters', 'parameter-solver'],
        ['resources', 'option-time']
      ]) {
        await panel.get(field).scrollIntoViewIfNeeded();
        await page.screenshot({
          path: join(OUT, `locks-${part}-${name}-${width}.png`)
        });
      }
    }
    await expectAccessible(page, '.jp-slurmdash-NewJob');
  });
}

test('a script edited by hand that undoes a lock is refused with line and reason', async ({
  panel
}) => {
  const { page } = panel;
  await choose(panel);
  await panel.get('script-edit').click();
  await panel
    .get('script-editor')
    .locator('.cm-line', { hasText: 'echo "$OPTIMIZER' })
    .click();
  await page.keyboard.press('Home');
  await page.keyboard.type('SOLVER=steady\n');
  await expect(page.locator('.jp-slurmdash-NewJob').first()).toContainText(
    /Line \d+ of the script: SOLVER is decided here.*Only this one is licensed/
  );
  await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'true');
});

test('the editor’s form decides about a field', async ({ panel }) => {
  test.slow();
  const { page } = panel;
  await panel.toggle('New job');
  await panel.toggle('Jobs');
  await panel.toggle('Templates');
  await panel.get('template-menu-locked-ui').click();
  await page
    .locator('.lm-Menu-item:visible')
    .filter({ hasText: /^Edit$/ })
    .click();
  const card = panel.get('lock-slurm-partition');
  await card.scrollIntoViewIfNeeded();
  await expect(panel.get('field-locks-slurm-partition-fixed')).toHaveValue(
    'local'
  );
  await panel.get('lock-add').selectOption('slurm.nodes');
  await panel.get('field-locks-slurm-nodes-maximum').fill('4');
  await expect(panel.get('field-locks-slurm-nodes-maximum')).toHaveValue('4');
  for (const [name, theme] of THEMES) {
    await panel.setTheme(theme);
    await panel.get('lock-slurm-nodes').scrollIntoViewIfNeeded();
    await page.screenshot({ path: join(OUT, `locks-editor-${name}.png`) });
  }
  await expectAccessible(page, '.jp-slurmdash-TemplateForm');
});
