import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect } from './panel';

/** axe finds nothing wrong in a part of the page. The answer: how many rules it held it against. */
export async function expectAccessible(
  page: Page,
  scope: string
): Promise<number> {
  // Colours that fade in have others in between; what moves for ever is no fade.
  await page.evaluate(within => {
    const all = document
      .querySelector(within)!
      .getAnimations({ subtree: true });
    const fading = all.filter(
      ({ effect }) => effect?.getComputedTiming().endTime !== Infinity
    );
    return Promise.allSettled(fading.map(({ finished }) => finished));
  }, scope);
  const { violations, passes } = await new AxeBuilder({ page })
    .include(scope)
    .analyze();
  expect(
    violations.flatMap(({ id, nodes }) =>
      nodes.map(node => `${id}: ${node.target} ${node.failureSummary}`)
    )
  ).toEqual([]);
  return passes.length;
}
