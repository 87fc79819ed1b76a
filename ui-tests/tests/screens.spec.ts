import { join } from 'node:path';

import { OUT, THEMES } from './artifacts';
import { drop, line, onDesk, put, withDesk } from './desk';
import { expect, file, test, type Panel } from './panel';

const LONG =
  'import time\nfor i in range(200):\n    print("epoch", i, "loss", round(1 / (i + 1), 3), flush=True)\n    time.sleep(0.05)\n';

withDesk();

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

for (const [mode, theme] of THEMES) {
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
      await page.screenshot({
        path: join(OUT, `tab-form-${width}-${mode}.png`)
      });
      await panel.chooseTemplate('python-script-v1', 'python script');
      await panel.get('file-input').setInputFiles(file('train.py', LONG));
      await panel.get('clash-replace').click();
      await expect(panel.get('submit')).toHaveAttribute(
        'aria-disabled',
        'false'
      );
      await panel.get('submit').click();
      await panel.get('submitted-job').click();
      await expect(panel.get('log')).toContainText('epoch 3');
      await page.screenshot({
        path: join(OUT, `tab-job-${width}-${mode}.png`)
      });
    });
  }
}

for (const [mode, theme] of THEMES) {
  for (const width of [320, 1200]) {
    test(`files at ${width} px, ${mode}`, async ({ panel }) => {
      const { page } = panel;
      await panel.setTheme(theme);
      if (width > 400) {
        await page.setViewportSize({ width: width + 82, height: 1100 });
        await panel.get('new-job-tab-button').click();
        await page.getByRole('tab', { name: 'Slurm', exact: true }).click();
      } else {
        await page.setViewportSize({ width: 1280, height: 1500 });
        await panel.setWidth(width);
      }
      const shoot = async (name: string) => {
        await panel.get('drop-zone').evaluate(zone => zone.scrollIntoView());
        const part = page.locator(
          width > 400 ? '#slurmdash-new-job' : '#jp-slurmdash-panel'
        );
        await part.screenshot({
          path: join(OUT, `${name}-${width}-${mode}.png`)
        });
      };
      await panel.chooseTemplate('pytorch-training-v1', 'pytorch');
      await panel
        .get('file-input')
        .setInputFiles([
          file('train.py', 'import torch\n'),
          file('config.yaml', 'epochs: 5\nbatch_size: 2048\n'),
          file('notes.txt', 'one\n')
        ]);
      await expect(panel.get('slot-config')).toHaveAttribute(
        'data-state',
        'error'
      );
      await line(page, 400_000);
      const paths = [
        put(
          '아주 긴 이름을 가진 데이터 — 실험 결과 2026.bin',
          Buffer.alloc(3e6, 1)
        ),
        put('big.bin', Buffer.alloc(4e6, 2)),
        put('later.bin', Buffer.alloc(4e6, 3)),
        put('last.bin', Buffer.alloc(4e6, 4))
      ];
      put('mesh/fine/a.msh', Buffer.alloc(3e5, 5));
      put('mesh/notes.txt', 'x');
      await drop(panel, [...paths, onDesk('mesh')]);
      await expect(panel.get('files-total')).toContainText(/B\/s · \d/);
      await shoot('files-moving');
      await panel.get('pause-all').click();
      await panel
        .get('file-input')
        .setInputFiles([
          file('notes.txt', 'two\n'),
          file('train.py', 'import torch # two\n')
        ]);
      await expect(panel.get('clash')).toBeVisible();
      await shoot('files-clash');
      await page.keyboard.press('Escape');
      await page.reload();
      await panel.show();
      await expect(panel.get('interrupted')).toBeVisible();
      await shoot('files-interrupted');
    });
  }
}
