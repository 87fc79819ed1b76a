import { expect, file, test } from './panel';

test('a reload right after the last key stroke loses nothing', async ({
  panel
}) => {
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel.get('file-input').setInputFiles(file('kept.py', 'print(1)\n'));
  await expect(panel.get('slot-script')).toHaveAttribute('data-state', 'ok');
  await panel.get('option-mem').fill('3G');
  await panel.get('job-name').fill('이름 kept');
  await panel.page.reload();
  await panel.show();
  await expect(panel.get('template-select')).toHaveValue('Python script');
  await expect(panel.get('job-name')).toHaveValue('이름 kept');
  await expect(panel.get('option-mem')).toHaveValue('3G');
  await expect(panel.get('slot-script')).toHaveAttribute('data-state', 'ok');
  await expect(panel.get('script')).toContainText('--mem=3G');
});

test('the form moves between panel and tab with all that is in it', async ({
  panel
}) => {
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel.get('job-name').fill('moves');
  await panel.get('new-job-tab-button').click();
  await expect(panel.page.locator('#slurmdash-new-job')).toBeVisible();
  await expect(panel.get('job-name')).toHaveCount(1);
  await expect(panel.get('job-name')).toHaveValue('moves');
  await panel.page
    .getByRole('tab', { name: 'New job' })
    .locator('.lm-TabBar-tabCloseIcon')
    .click();
  await expect(panel.get('job-name')).toHaveValue('moves');
});

test('starting afresh can be undone', async ({ panel }) => {
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel.get('job-name').fill('undone');
  await panel.page.getByRole('button', { name: 'Start afresh' }).click();
  await expect(panel.get('job-name')).toHaveValue('');
  await panel.page.getByRole('button', { name: 'Undo' }).click();
  await expect(panel.get('job-name')).toHaveValue('undone');
  await expect(panel.get('template-select')).toHaveValue('Python script');
});
