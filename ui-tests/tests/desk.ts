import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { CDPSession, Page } from '@playwright/test';

import { test, type Panel } from './panel';

/** A folder of the desktop, for one test. */
let desk = '';

/** The path of a file or folder of the desktop. */
export const onDesk = (name: string): string => join(desk, name);

/** Give each test of this file a desktop of its own. */
export function withDesk(): void {
  test.beforeEach(() => {
    desk = mkdtempSync(join(tmpdir(), 'slurmdash-desk-'));
  });
  test.afterEach(() => rmSync(desk, { recursive: true, force: true }));
}

/** Write a file of the desktop; the answer is its path. */
export function put(name: string, data: string | Buffer): string {
  const path = join(desk, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, data);
  return path;
}

/** Let files and folders of the desktop fall on the drop zone, as the browser gets them from the system. */
export async function drop(panel: Panel, paths: string[]): Promise<void> {
  const zone = panel.get('drop-zone');
  await zone.scrollIntoViewIfNeeded();
  const box = (await zone.boundingBox())!;
  const at = { x: box.x + 20, y: box.y + 10 };
  const cdp = await panel.page.context().newCDPSession(panel.page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await cdp.send('Input.dispatchDragEvent', { type, ...at, data });
  }
  await cdp.detach();
}

/** A line of so many bytes per second; without them, as fast as it goes. */
export async function line(page: Page, up?: number): Promise<CDPSession> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: up ?? -1
  });
  return cdp;
}
