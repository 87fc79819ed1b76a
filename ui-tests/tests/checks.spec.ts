import { expect, file, test } from './panel';

test('a bad config names its line, and a finding leads to its field', async ({
  panel
}) => {
  await panel.chooseTemplate('pytorch-training-v1', 'pytorch');
  await panel
    .get('file-input')
    .setInputFiles(
      file('config.yaml', 'epochs: 5\nlearning_rate: 0.1\nbatch_size: 2048\n')
    );
  const slot = panel.get('slot-config');
  await expect(slot).toHaveAttribute('data-state', 'error');
  await expect(slot).toContainText('line 3');
  await expect(slot).toContainText('1024');

  await panel
    .get('file-input')
    .setInputFiles(
      file('config.yaml', 'epochs: 5\nlearning_rate: 0.1\nbatch_size: 64\n')
    );
  await panel.get('clash-replace').click();
  await expect(slot).toHaveAttribute('data-state', 'ok');

  await panel.page.getByRole('button', { name: /Show \d+ more/ }).click();
  await panel.page
    .getByRole('button', { name: /partition gpu/ })
    .first()
    .click();
  await expect(panel.get('option-partition')).toBeFocused();
});

test('an option that Slurm would refuse is marked where it was typed', async ({
  panel
}) => {
  await panel.chooseTemplate('python-script-v1', 'python');
  await panel.get('option-time').fill('soon');
  await expect(panel.get('option-time')).toHaveAttribute(
    'aria-invalid',
    'true'
  );
  await panel.get('option-time').fill('1:00:00');
  await expect(panel.get('option-time')).not.toHaveAttribute(
    'aria-invalid',
    'true'
  );
});

test('the whole form works by the keyboard', async ({ panel }) => {
  const { page } = panel;
  await panel.get('new-job-button').locator('visible=true').first().focus();
  await page.keyboard.press('Enter');
  await expect(panel.get('template-select')).toBeFocused();
  await page.keyboard.type('shell');
  await page.keyboard.press('Enter');
  await expect(panel.get('template-select')).toHaveValue('Shell script');
  await expect(panel.get('script')).toContainText('#SBATCH');
});
