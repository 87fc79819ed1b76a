import { join } from 'node:path';

/** Where the screenshots go; Playwright makes the folder with the first. */
export const OUT = join(__dirname, '..', 'artifacts');

/** Each theme: the short name for titles and files, and JupyterLab's own. */
export const THEMES = [
  ['light', 'JupyterLab Light'],
  ['dark', 'JupyterLab Dark']
];
