import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, file, test, type Panel } from './panel';

const OUT = join(__dirname, '..', 'artifacts');
const LONG =
  'import time\nfor i in range(200):\n    print("epoch", i, "loss", round(1 / (i + 1), 3), flush=True)\n    time.sleep(0.05)\n';

mkdirSync(OUT, { recursive: true });

async function fill(panel: Panel): Promise<void> {
  await panel.chooseTemplate('pytorch-training-v1', 'pytorch');
  await panel
    .get('file-input')
    .setInputFiles([
      file('train.py', 'import torch\n'),
      file('config.yaml', 'epochs: 5\nbatch_size: 2048\n'),
      file('아주 긴 이름을 가진 데이터 파일 — 실험 결과 2026.csv', 'a,b\n')
    ]);
  await expect(panel.get('slot-config')).toHaveAttribute('data-state', 'error');
  await panel.page.waitForTimeout(1600);
}

for (const [mode, theme] of [
  ['light', 'JupyterLab Light'],
  ['dark', 'JupyterLab Dark']
]) {
  for (const width of [320, 400]) {
    test(`panel at ${width} px, ${mode}`, async ({ panel }) => {
      await panel.setTheme(theme);
      await panel.setWidth(width);
      const shoot = (name: string) =>
        panel.page.locator('#jp-slurmdash-panel').screenshot({
          path: join(OUT, `${name}-${width}-${mode}.png`)
        });
      await shoot('panel-empty');
      await panel.get('template-select').click();
      await shoot('panel-templates-open');
      await fill(panel);
      await shoot('panel-form');
      await panel.get('option-time').scrollIntoViewIfNeeded();
      await shoot('panel-resources');
      await panel.toggle('New job');
      await panel.toggle('Templates');
      await panel.toggle('Images');
      await panel.page.waitForTimeout(500);
      await shoot('panel-lists');
    });
  }
  for (const width of [700, 1200]) {
    test(`tab at ${width} px, ${mode}`, async ({ panel }) => {
      const { page } = panel;
      await panel.setTheme(theme);
      await panel.get('new-job-tab-button').click();
      await page.getByRole('tab', { name: 'Slurm', exact: true }).click();
      await page.setViewportSize({ width: width + 82, height: 900 });
      await fill(panel);
      await page.screenshot({ path: join(OUT, `tab-form-${width}-${mode}.png`) });
      await panel.chooseTemplate('python-script-v1', 'python script');
      await panel.get('file-input').setInputFiles(file('train.py', LONG));
      await expect(panel.get('submit')).toHaveAttribute(
        'aria-disabled',
        'false'
      );
      await panel.get('submit').click();
      await panel.get('submitted-job').click();
      await expect(panel.get('log')).toContainText('epoch 3');
      await page.screenshot({ path: join(OUT, `tab-job-${width}-${mode}.png`) });
    });
  }
}
