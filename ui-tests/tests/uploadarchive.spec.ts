import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { expectAccessible } from './accessible';
import { OUT, THEMES } from './artifacts';
import { drop, put, withDesk } from './desk';
import { expect, test } from './panel';

/** What an archive holds, folded below its row. */

withDesk();

for (const [mode, theme] of THEMES) {
  test(`an archive is unfolded by keyboard, and what leads outside is marked, ${mode}`, async ({
    panel
  }) => {
    const { page } = panel;
    await panel.setTheme(theme);
    await page.setViewportSize({ width: 1280, height: 1700 });
    await panel.setWidth(320);
    await panel.chooseTemplate('pytorch-training-v1', 'pytorch');
    await drop(panel, [hostile('inputs.tar.gz')]);
    const archive = panel.get('archive-inputs.tar.gz');
    await expect(archive).toBeVisible();
    await expect(archive.getByRole('listitem')).toHaveCount(0);

    // From the file's last button on.
    await page.getByRole('button', { name: 'Remove inputs.tar.gz' }).focus();
    const summary = archive.locator('summary');
    await expect(async () => {
      await page.keyboard.press('Tab');
      await expect(summary).toBeFocused({ timeout: 100 });
    }).toPass({ intervals: [0] });
    await page.keyboard.press('Enter');
    const entries = archive.getByRole('listitem');
    await expect(entries).toHaveCount(43);
    await expect(archive).toContainText('43 entries');
    const bad = entries.filter({ hasText: '../../.ssh/authorized_keys' });
    await expect(bad).toContainText('lands outside');
    await expect(bad.locator('[data-trouble="outside"] svg')).toBeVisible();
    await expect(entries.filter({ hasText: 'out → /etc' })).toContainText(
      'leads outside'
    );
    await expect(
      entries.filter({ hasText: 'mesh/part0.msh' })
    ).not.toContainText('outside');
    await expect(
      archive.locator('p').filter({ hasText: 'authorized_keys' })
    ).toContainText(
      'would be written outside the folder in which it is unpacked'
    );
    // A name is text.
    await expect(archive).toContainText('<img src=x onerror=window.hurt=1>');
    expect(await page.evaluate(() => 'hurt' in window)).toBe(false);

    // The list scrolls by keys.
    await page.keyboard.press('Tab');
    const list = archive.getByRole('list', { name: 'Entries' });
    await expect(list).toBeFocused();
    await page.locator('#jp-slurmdash-panel').screenshot({
      path: join(OUT, `uploads-archive-320-${mode}.png`)
    });
    await page.keyboard.press('End');
    await expect(entries.last()).toBeInViewport();
    // With the marks in sight.
    const rules = await expectAccessible(page, '.jp-slurmdash-NewJob');
    await archive.screenshot({
      path: join(OUT, `uploads-archive-end-320-${mode}.png`)
    });
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await expect(entries.last()).toBeHidden();
    console.log(
      `archive, ${mode}: 43 entries, 2 marked; axe: 0 violations, ${rules} rules passed`
    );
  });
}

/** A packed archive with a name and a link that lead out of it. */
function hostile(name: string): string {
  const path = put(name, '');
  const make = [
    'import io, sys, tarfile',
    'tar = tarfile.open(sys.argv[1], "w:gz")',
    'def add(name, **more):',
    '    info = tarfile.TarInfo(name)',
    '    for word, value in more.items():',
    '        setattr(info, word, value)',
    '    tar.addfile(info, io.BytesIO(bytes(info.size)))',
    'for at in range(40):',
    '    add(f"mesh/part{at}.msh", size=1000 * at)',
    'add("../../.ssh/authorized_keys", size=400)',
    'add("out", type=tarfile.SYMTYPE, linkname="/etc")',
    'add("<img src=x onerror=window.hurt=1>", size=1)',
    'tar.close()'
  ].join('\n');
  execFileSync('python3', ['-c', make, path]);
  return path;
}
