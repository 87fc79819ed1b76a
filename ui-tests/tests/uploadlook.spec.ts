import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { expectAccessible } from './accessible';
import { OUT, THEMES } from './artifacts';
import { drop, line, put, withDesk } from './desk';
import { expect, test, type Panel } from './panel';

/** How the uploader looks: rows in every state and a question, all at once. */

const MIB = 1024 * 1024;
const STATES = ['uploading', 'paused', 'failed', 'complete', 'interrupted'];

withDesk();

// A file is given up only after several tries, each later than the one before.
const state = (panel: Panel, name: string, is: string) =>
  expect(panel.get(`file-${name}`)).toHaveAttribute('data-state', is, {
    timeout: 60_000
  });

for (const [mode, theme] of THEMES) {
  for (const width of [320, 1000]) {
    test(`rows in every state and a question, at ${width} px, ${mode}`, async ({
      panel
    }) => {
      test.setTimeout(120_000);
      const { page } = panel;
      await panel.setTheme(theme);
      // Everything is in sight at once.
      await page.setViewportSize({ width: 1280, height: 1700 });
      await panel.setWidth(width);
      await panel.toggle('Jobs');
      await panel.chooseTemplate('pytorch-training-v1', 'pytorch');
      await drop(panel, [put('results.csv', 'a,b\n1,2\n')]);
      await state(panel, 'results.csv', 'complete');

      // Left behind by a page that was closed.
      let slow = await line(page, 0.3 * MIB);
      await drop(panel, [put('left-behind.bin', randomBytes(3 * MIB))]);
      await expect(panel.get('file-left-behind.bin')).toContainText(
        /[1-9]\d? %/
      );
      await page.reload();
      await panel.show();
      await slow.detach();
      await state(panel, 'left-behind.bin', 'interrupted');

      slow = await line(page, 0.3 * MIB);
      await drop(panel, [put('paused.bin', randomBytes(4 * MIB))]);
      await expect(panel.get('file-paused.bin')).toContainText(/[1-9]\d? %/);
      await page.getByRole('button', { name: 'Pause paused.bin' }).click();
      await state(panel, 'paused.bin', 'paused');
      // Gone from the desktop before it was read.
      const gone = put('unplugged.bin', randomBytes(4 * MIB));
      const later = put(
        '실험 결과 — a very long name that has no room 2026-11.bin',
        randomBytes(24 * MIB)
      );
      await drop(panel, [later, gone]);
      rmSync(gone);
      await state(panel, 'unplugged.bin', 'failed');
      await expect(
        panel.get(
          'file-실험 결과 — a very long name that has no room 2026-11.bin'
        )
      ).toContainText(/B\/s · \d+/);
      await drop(panel, [put('results.csv', 'other\n')]);
      await expect(panel.get('clash')).toBeVisible();
      for (const is of STATES) {
        await expect(
          page.locator(`[data-state="${is}"]`).first()
        ).toBeVisible();
      }
      const rules = await expectAccessible(page, '.jp-slurmdash-NewJob');
      await page.locator('#jp-slurmdash-panel').screenshot({
        path: join(OUT, `uploads-states-${width}-${mode}.png`)
      });
      console.log(
        `${width} px, ${mode}: ${STATES.join(', ')} and a clash; axe: 0 violations, ${rules} rules passed`
      );
      await page.keyboard.press('Escape');
      await slow.detach();
    });
  }
}
