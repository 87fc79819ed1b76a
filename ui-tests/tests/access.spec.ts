import { expectAccessible } from './accessible';
import { THEMES } from './artifacts';
import { expect, file, test } from './panel';

for (const [, theme] of THEMES) {
  test(`axe finds nothing in the panel, the form and a job (${theme})`, async ({
    panel
  }) => {
    // Many audits, each of a whole section.
    test.slow();
    const { page } = panel;
    await panel.setTheme(theme);
    await panel.chooseTemplate('pytorch-training-v1', 'pytorch');
    await panel
      .get('file-input')
      .setInputFiles([
        file('config.yaml', 'batch_size: 2048\n'),
        file('train.py', 'print(1)\n'),
        file('other.bin', 'x')
      ]);
    await expect(panel.get('slot-config')).toHaveAttribute(
      'data-state',
      'error'
    );
    const check = async (scope: string) => {
      // Running animations have colours in between.
      await page.waitForTimeout(1600);
      await expectAccessible(page, scope);
    };
    await check('.jp-slurmdash-NewJob');
    await panel.toggle('Templates');
    await panel.toggle('Images');
    await panel.toggle('New job');
    await expect(panel.get('templates-search')).toBeVisible();
    for (const section of ['jobs', 'templates', 'images']) {
      await check(`#jp-slurmdash-${section}`);
    }
    await check('.jp-slurmdash-Header');

    await panel.get('new-job-button').click();
    await panel.chooseTemplate('python-script-v1', 'python');
    await panel.get('file-input').setInputFiles(file('a.py', 'print(1)\n'));
    await expect(panel.get('submit')).toHaveAttribute('aria-disabled', 'false');
    await panel.get('submit').click();
    await panel.get('submitted-job').click();
    await expect(panel.get('log')).toContainText('1');
    await check('.jp-slurmdash-JobWidget');
    await panel.get('tab-files').click();
    await expect(panel.get('job-files')).toBeVisible();
    await check('.jp-slurmdash-JobWidget');
  });
}
