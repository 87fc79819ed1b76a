import { randomUUID } from 'node:crypto';

import {
  expect,
  test as base,
  type Locator,
  type Page
} from '@playwright/test';

/** The Slurm panel of one JupyterLab page, in a workspace of its own. */
export class Panel {
  constructor(readonly page: Page) {}

  /** Faults that the browser reported. */
  readonly faults: string[] = [];

  get(id: string): Locator {
    return this.page.getByTestId(`slurmdash-${id}`);
  }

  /** The panel's own workspace. */
  workspace = `ui-${randomUUID().slice(0, 8)}`;

  /** Open the workspace of another page, in a browser of its own. */
  async join(other: Panel): Promise<void> {
    this.workspace = other.workspace;
    await this.open();
  }

  async open(): Promise<void> {
    const { SLURMDASH_URL: url, SLURMDASH_TOKEN: token } = process.env;
    this.page.on('pageerror', error => this.faults.push(error.message));
    const { workspace } = this;
    await this.page.goto(
      `${url}lab/workspaces/${workspace}?token=${token ?? ''}`
    );
    await this.show();
  }

  /** Bring the panel into sight, as a user would. */
  async show(said: RegExp = /free|does not answer/): Promise<void> {
    await this.page.waitForSelector('#jupyterlab-splash', {
      state: 'detached',
      timeout: 60_000
    });
    // A layout that is restored later would fold the panel again.
    await this.page.evaluate(async () => {
      const { jupyterapp: app } = window as unknown as {
        jupyterapp?: { restored: Promise<unknown> };
      };
      await app?.restored;
    });
    // JupyterLab's launcher, or what was open before, comes up late and takes the focus with its next message.
    const main = this.page.locator('#jp-main-dock-panel .lm-DockPanel-widget');
    await expect(main.first()).toBeVisible();
    await this.page.evaluate(
      () => new Promise(done => requestAnimationFrame(() => setTimeout(done)))
    );
    // The tab that is already chosen would close the panel: what is in sight, not what is drawn by now, decides.
    const tab = this.page.getByRole('tab', { name: 'Slurm', exact: true });
    if ((await tab.getAttribute('aria-selected')) !== 'true') {
      await tab.click();
    }
    await expect(this.get('cluster-line')).toBeVisible();
    await expect(this.get('cluster-line')).toContainText(said);
  }

  async chooseTemplate(id: string, text = id): Promise<void> {
    await this.get('template-select').fill(text);
    await this.get(`template-option-${id}`).click();
    await expect(this.get('script')).toContainText('#SBATCH');
  }

  /** Unfold or fold a section. */
  async toggle(heading: string): Promise<void> {
    await this.page
      .locator('#jp-slurmdash-panel .lm-AccordionPanel-title')
      .filter({ hasText: heading })
      .click();
  }

  async setTheme(theme: string): Promise<void> {
    await this.page.evaluate(
      name =>
        (
          window as unknown as {
            jupyterapp: {
              commands: { execute(id: string, args: object): Promise<void> };
            };
          }
        ).jupyterapp.commands.execute('apputils:change-theme', { theme: name }),
      theme
    );
    await this.page.waitForFunction(
      name => document.body.dataset.jpThemeName === name,
      theme
    );
  }

  /** Pull the panel's edge until it is this wide. */
  async setWidth(width: number): Promise<void> {
    const panel = this.page.locator('#jp-slurmdash-panel');
    await expect(async () => {
      const box = (await panel.boundingBox())!;
      const y = box.y + box.height / 2;
      await this.page.mouse.move(box.x + box.width + 2, y);
      await this.page.mouse.down();
      await this.page.mouse.move(box.x + width + 2, y, { steps: 8 });
      await this.page.mouse.up();
      const after = (await panel.boundingBox())!;
      expect(Math.abs(after.width - width)).toBeLessThan(8);
    }).toPass();
  }
}

/** A small text file as the browser has it after it was chosen. */
export function file(
  name: string,
  text: string
): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType: 'text/plain', buffer: Buffer.from(text) };
}

/** A test that begins with an open panel, and fails when the page had a fault. */
export const test = base.extend<{ panel: Panel }>({
  panel: async ({ page }, use) => {
    const panel = new Panel(page);
    await panel.open();
    await use(panel);
    expect(panel.faults).toEqual([]);
  }
});

export { expect };
