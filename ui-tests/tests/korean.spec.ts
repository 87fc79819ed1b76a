import { join } from 'node:path';

import { OUT } from './artifacts';
import { expect, test } from './panel';

test('the panel speaks Korean when JupyterLab does', async ({ panel }) => {
  const { page } = panel;
  const { SLURMDASH_URL: url, SLURMDASH_TOKEN: token } = process.env;
  const packs = await page.request.get(`${url}lab/api/translations`, {
    headers: { Authorization: `token ${token}` }
  });
  test.skip(
    !('ko_KR' in (await packs.json()).data),
    'jupyterlab-language-pack-ko-KR is not installed'
  );
  const setting = `${url}lab/api/settings/@jupyterlab/translation-extension:plugin`;
  const put = (locale: string) =>
    page.request.put(setting, {
      headers: { Authorization: `token ${token}` },
      data: { raw: JSON.stringify({ locale }) }
    });
  expect((await put('ko_KR')).ok()).toBe(true);
  try {
    await page.reload();
    await panel.show(/코어/);
    await expect(panel.get('submit')).toHaveText('제출');
    await panel.get('template-select').fill('pytorch');
    await panel.get('template-option-pytorch-training-v1').click();
    await expect(panel.get('script')).toContainText('#SBATCH');
    await panel.get('script-edit').click();
    await expect(panel.get('script-edit')).toHaveText('완료');
    await panel.get('script-editor').locator('.cm-line').last().click();
    await page.keyboard.type('true');
    await expect(panel.get('script-hand')).toContainText('직접 쓴 줄 1개');
    await page.screenshot({ path: join(OUT, 'korean.png') });
  } finally {
    await put('default');
  }
});
