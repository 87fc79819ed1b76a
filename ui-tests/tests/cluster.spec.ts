import { writeFileSync } from 'node:fs';

import { OUT } from './artifacts';
import { expect, file, test } from './panel';

/**
 * The panel on a real cluster. tests/cluster/ starts the user's server there,
 * brings the trouble about, and runs one of these by its name.
 */
const env = process.env;
test.skip(
  !env.SLURMDASH_CLUSTER,
  'tests/cluster/ runs these on the real cluster, each in its own trouble'
);

test('cluster: the job of the four doors', async ({ panel }) => {
  await panel
    .get('scan-button')
    .or(panel.get('cluster-line'))
    .first()
    .waitFor();
  await panel.chooseTemplate(env.SLURMDASH_TEMPLATE ?? '');
  await panel
    .get('file-input')
    .setInputFiles(JSON.parse(env.SLURMDASH_FILES ?? '[]') as string[]);
  await panel.get('job-name').fill(env.SLURMDASH_JOB_NAME ?? '');
  await expect(panel.get('script')).toContainText(
    `--job-name=${env.SLURMDASH_JOB_NAME}`
  );
  await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'false');
  await panel.page.screenshot({ path: `${OUT}/cluster-form.png` });

  await panel.get('submit').click();
  const link = panel.get('submitted-job');
  await expect(link).toBeVisible();
  const id = /\S+$/.exec((await link.textContent()) ?? '')?.[0] ?? '';
  writeFileSync(env.SLURMDASH_JOB_ID_FILE ?? '', id);

  await panel.get('jobs-list').getByTestId(`slurmdash-job-${id}`).click();
  const log = panel.get('log');
  await expect(log).toContainText('epoch 0', { timeout: 60_000 });
  // Live: the first lines are there before the last one is written.
  await expect(log).not.toContainText('epoch 3', { timeout: 1 });
  await panel.page.screenshot({ path: `${OUT}/cluster-running.png` });
  await expect(log).toContainText('epoch 3');
  await expect(
    panel.page
      .locator('.jp-slurmdash-JobWidget')
      .getByTestId('slurmdash-job-state')
  ).toHaveAttribute('data-state', 'COMPLETED', { timeout: 60_000 });
  await panel.get('tab-files').click();
  await expect(panel.get('job-files')).toContainText('checkpoints/last.pth');
  await panel.page.screenshot({ path: `${OUT}/cluster-files.png` });
});

test('cluster: sbatch refuses, and nothing typed is lost', async ({
  panel
}) => {
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel.get('file-input').setInputFiles(file('a.py', 'print(1)\n'));
  await panel.page.getByText('More options').click();
  await panel.get('option-constraint').fill('no_such_feature');
  await panel.get('job-name').fill('too special');
  await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'false');
  await panel.get('submit').click();
  const footer = panel.page.locator('.jp-slurmdash-Footer');
  await expect(footer).toContainText(/feature/i);
  await panel.page.screenshot({ path: `${OUT}/cluster-refused.png` });
  await expect(panel.get('job-name')).toHaveValue('too special');
  await expect(panel.get('file-a.py')).toHaveAttribute(
    'data-state',
    'complete'
  );

  await panel.get('option-constraint').fill('');
  await panel.get('submit').click();
  await expect(panel.get('submitted-job')).toBeVisible();
});

test('cluster: a node that refuses is named', async ({ panel }) => {
  await panel.toggle('New job');
  await panel.toggle('Images');
  await panel.get('scan-button').click();
  const images = panel.page.locator('#jp-slurmdash-panel');
  await expect(images).toContainText('node002', { timeout: 60_000 });
  await panel.get('images-search').fill('pytorch');
  await expect(
    panel.page.getByRole('option', { name: /pytorch_cuda.sif/ })
  ).toBeVisible();
  await panel.page.screenshot({ path: `${OUT}/cluster-node-refused.png` });
});

test('cluster: the controller does not answer', async ({ panel }) => {
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel.get('file-input').setInputFiles(file('b.py', 'print(1)\n'));
  await expect(panel.page.locator('#jp-slurmdash-panel')).toContainText(
    /does not answer|controller/i,
    { timeout: 60_000 }
  );
  await panel.page.screenshot({ path: `${OUT}/cluster-no-controller.png` });
  await expect(panel.get('file-b.py')).toHaveAttribute(
    'data-state',
    'complete'
  );
});

test('cluster: a broken template is shown with its line, a file without a slot is kept', async ({
  panel
}) => {
  await panel.chooseTemplate('pytorch-training-v1');
  await panel.get('file-input').setInputFiles(file('notes.txt', 'x\n'));
  await expect(panel.get('file-notes.txt')).toBeVisible();
  await expect(panel.page.locator('#jp-slurmdash-panel')).toContainText(
    '1 file fills no slot'
  );
  await panel.toggle('New job');
  await panel.toggle('Templates');
  await panel.get('templates-search').fill('broken');
  await expect(panel.page.locator('#jp-slurmdash-panel')).toContainText(
    /line \d/i
  );
  await panel.page.screenshot({ path: `${OUT}/cluster-broken-template.png` });
});

test('cluster: an image in full', async ({ panel }) => {
  const { page } = panel;
  await panel.toggle('New job');
  await panel.toggle('Jobs');
  await panel.toggle('Images');
  const box = panel.get('images-search');
  await box.fill('signed-tools');
  await expect(page.getByRole('option', { name: /signed-tools/ })).toBeVisible({
    timeout: 60_000
  });
  await box.press('Enter');
  const where = panel.get('image-where');
  await expect(where).toContainText('compute: 1 of 4 nodes');
  await expect(where).toContainText('only on node003');
  await expect(where).toContainText('gpu: on its node');

  await panel.get('image-digest').click();
  await expect(panel.get('image-sha256')).toHaveAttribute(
    'title',
    env.SLURMDASH_SHA256 ?? '',
    { timeout: 60_000 }
  );
  await panel.get('image-verify').click();
  await expect(panel.get('image-verdict')).toContainText(
    env.SLURMDASH_SIGNER ?? '',
    { timeout: 60_000 }
  );
  await expect(
    panel.get('image-detail').locator('[data-signature="verified"]')
  ).toBeVisible();
  await panel.setWidth(700);
  await box.fill('');
  await page.locator('#jp-slurmdash-panel').screenshot({
    path: `${OUT}/cluster-image.png`
  });
});

test('cluster: the limits of partition, account and QOS', async ({ panel }) => {
  const { SLURMDASH_ACCOUNT: account = '', SLURMDASH_QOS: qos = '' } = env;
  const { page } = panel;
  const option = (name: string) => panel.get(`option-${name}`);
  const boxOf = (name: string) =>
    page.locator('.jp-slurmdash-Field').filter({ has: option(name) });
  const choose = async (name: string, id: string) => {
    await option(name).fill(id);
    await panel.get(`${name}-${id}`).click();
  };
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel.get('file-input').setInputFiles(file('a.py', 'print(1)\n'));
  await expect(boxOf('nodes')).toContainText('at most 4 on compute');
  await expect(option('account')).toHaveAttribute(
    'placeholder',
    'research (your default)'
  );

  // Another partition: its bounds at once, and what was typed stays.
  await option('time').fill('9:00:00');
  await option('gres').fill('3');
  await option('partition').selectOption('gpu');
  await expect(boxOf('time')).toContainText('at most 8:00:00 on gpu');
  await expect(boxOf('gres')).toContainText('at most 2 on gpu');
  await expect(option('time')).toHaveValue('9:00:00');
  await expect(boxOf('time')).toContainText(
    'Partition gpu allows at most 480 min.'
  );
  const preview = page.waitForResponse(/api\/jobs\/preview$/);
  await option('gres').fill('4');
  await expect(boxOf('gres')).toContainText(
    'Partition gpu has at most 2 GPUs on a node.'
  );
  // The server says the very same.
  const { checks } = await (await preview).json();
  expect(
    checks
      .filter(({ level }: { level: string }) => level === 'error')
      .map(({ message }: { message: string }) => message)
      .sort()
  ).toEqual([
    'Partition gpu allows at most 480 min.',
    'Partition gpu has at most 2 GPUs on a node.'
  ]);
  await page.screenshot({ path: `${OUT}/cluster-limits.png` });

  await option('gres').fill('');
  await option('qos').click();
  await expect(panel.get('qos-normal')).toBeVisible();
  await expect(panel.get(`qos-${qos}`)).toHaveCount(0);
  await page.keyboard.press('Escape');
  await choose('account', account);
  await choose('qos', qos);
  await expect(boxOf('time')).toContainText(`at most 30:00 with QOS ${qos}`);
  await option('time').fill('0:31:00');
  await expect(boxOf('time')).toContainText(
    `QOS ${qos} allows at most 30 min.`
  );
  await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'true');
  await page.screenshot({ path: `${OUT}/cluster-limits-qos.png` });

  // Read from the script too.
  await panel.get('script-edit').click();
  const line = panel
    .get('script-editor')
    .locator('.cm-line')
    .filter({ hasText: '--time=' });
  await line.click();
  await page.keyboard.press('End');
  await page.keyboard.press('Shift+Home');
  await page.keyboard.type('#SBATCH --time=00:20:00');
  await expect(option('time')).toHaveValue('00:20:00');
  await panel.get('script-edit').click();
  await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'false');
  await panel.get('submit').click();
  const link = panel.get('submitted-job');
  await expect(link).toBeVisible();
  writeFileSync(
    env.SLURMDASH_JOB_ID_FILE ?? '',
    /\S+$/.exec((await link.textContent()) ?? '')?.[0] ?? ''
  );
});
