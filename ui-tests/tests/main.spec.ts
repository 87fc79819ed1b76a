import { expect, file, test } from './panel';

const SCRIPT = `import time
for step in range(6):
    print("step", step, flush=True)
    time.sleep(0.7)
print("done")
`;

test('the main job: template, file, checks, script, submit, live log, results', async ({
  panel
}) => {
  await panel.chooseTemplate('python-script-v1', 'python');
  const image = process.env.SLURMDASH_IMAGE;
  if (image) {
    await panel.get('image-select').fill(image);
    await panel.page.keyboard.press('Enter');
  }
  await expect(panel.get('slot-script')).toHaveAttribute('data-state', 'empty');
  await expect(panel.get('check-0')).toContainText('script');
  await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'true');

  await panel.get('file-input').setInputFiles(file('steps.py', SCRIPT));
  await expect(panel.get('slot-script')).toHaveAttribute('data-state', 'ok');
  await expect(panel.get('file-steps.py')).toHaveAttribute(
    'data-state',
    'complete'
  );

  await panel.get('job-name').fill('ui test');
  await panel.get('option-time').fill('0:05:00');
  await expect(panel.get('script')).toContainText('--time=0:05:00');
  await expect(panel.get('script')).toContainText('steps.py');

  await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'false');
  await panel.get('submit').click();
  const link = panel.get('submitted-job');
  await expect(link).toBeVisible();
  const id = /\S+$/.exec((await link.textContent()) ?? '')?.[0] ?? '';
  const row = panel.get('jobs-list').getByTestId(`slurmdash-job-${id}`);
  await expect(row).toContainText('ui test');

  await row.click();
  const log = panel.get('log');
  await expect(log).toContainText('step 0', { timeout: 60_000 });
  // Live: the first lines are there before the last one is written.
  await expect(log).not.toContainText('done', { timeout: 1 });
  await expect(log).toContainText('done');
  await expect(row).toHaveAttribute('data-state', 'COMPLETED', {
    timeout: 60_000
  });
  await expect(
    panel.page
      .locator('.jp-slurmdash-JobWidget')
      .getByTestId('slurmdash-job-state')
  ).toHaveAttribute('data-state', 'COMPLETED');

  await panel.get('log-err').click();
  await expect(log).toContainText('wrote nothing');

  await panel.get('tab-files').click();
  await expect(panel.get('job-files')).toContainText('steps.py');
  const download = panel.page.waitForEvent('download');
  await panel.get('job-files').getByText('steps.py').first().click();
  expect((await download).suggestedFilename()).toBe('steps.py');

  await panel.get('tab-script').click();
  await expect(panel.get('job-script')).toContainText('#SBATCH --time=0:05:00');
});

test('a running job can be cancelled', async ({ panel }) => {
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel
    .get('file-input')
    .setInputFiles(file('long.py', 'import time\ntime.sleep(300)\n'));
  await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'false');
  await panel.get('submit').click();
  await panel.get('submitted-job').click();
  await panel.get('cancel-job').click();
  await expect(
    panel.page
      .locator('.jp-slurmdash-JobWidget')
      .getByTestId('slurmdash-job-state')
  ).toHaveAttribute('data-state', 'CANCELLED', { timeout: 60_000 });
  await expect(panel.get('cancel-job')).toHaveCount(0);
});

test('a file on the cluster is named by its path, and no file name is markup', async ({
  panel
}) => {
  await panel.chooseTemplate('python-script-v1', 'python');
  const awkward = '<img src=x onerror=window.hurt=1>.py';
  await panel.get('file-input').setInputFiles(file(awkward, 'print(1)\n'));
  await expect(panel.get(`file-${awkward}`)).toContainText(awkward);
  await panel.get('path-input').fill('/etc/hostname');
  await panel.get('path-add').click();
  await expect(panel.get('file-hostname')).toBeVisible();
  expect(await panel.page.evaluate(() => 'hurt' in window)).toBe(false);
});
