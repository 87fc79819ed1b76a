import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

import type { FileSlot } from '../../api/types';
import type { FilesModel } from './files';
import type { IFileRow } from './filesrows';

/** Where a menu opens, and what gets the focus back. */
export interface IMenuPlace {
  x: number;
  y: number;
  from: HTMLElement;
}

interface IEntry {
  label: string;
  run: () => void;
  checked?: boolean;
}

/** All that can be done with one file, by pointer or keyboard. */
export function openFileMenu(
  trans: TranslationBundle,
  files: FilesModel,
  row: IFileRow,
  slots: ReadonlyArray<FileSlot>,
  place: IMenuPlace
): void {
  const { key, state, slot, sha256 } = row;
  const use: IEntry[] = slots.map(({ name }) => ({
    label: trans.__('Use as %1', name),
    checked: name === slot,
    run: () => void files.setSlot(key, name)
  }));
  if (slots.length) {
    use.push({
      label: trans.__('Use in no slot'),
      checked: !slot,
      run: () => void files.setSlot(key, null)
    });
  }
  const flow: IEntry[] = [];
  if (state === 'uploading' || state === 'queued' || state === 'waiting') {
    flow.push({ label: trans.__('Pause'), run: () => files.pause([key]) });
  } else if (state === 'paused') {
    flow.push({ label: trans.__('Resume'), run: () => files.resume([key]) });
  } else if (state === 'failed' && row.local) {
    flow.push({ label: trans.__('Try again'), run: () => files.resume([key]) });
  }
  if (sha256) {
    flow.push({
      label: trans.__('Copy SHA-256'),
      // `navigator.clipboard` is not there on a page of plain http.
      run: () => Clipboard.copyToSystem(sha256)
    });
  }
  flow.push({
    label: state === 'complete' ? trans.__('Remove') : trans.__('Cancel'),
    run: () => void files.remove([key])
  });
  openMenu([use, flow], place);
}

/** What can be done with all files of a folder. */
export function openFolderMenu(
  trans: TranslationBundle,
  files: FilesModel,
  rows: ReadonlyArray<IFileRow>,
  place: IMenuPlace
): void {
  const keys = rows.map(({ key }) => key);
  const has = (...states: string[]) =>
    rows.some(({ state }) => states.includes(state));
  const flow: IEntry[] = [];
  if (has('uploading', 'queued', 'waiting')) {
    flow.push({ label: trans.__('Pause'), run: () => files.pause(keys) });
  }
  if (has('paused')) {
    flow.push({ label: trans.__('Resume'), run: () => files.resume(keys) });
  }
  flow.push({
    label: trans.__('Remove'),
    run: () => void files.remove(keys)
  });
  openMenu([flow], place);
}

function openMenu(groups: IEntry[][], { x, y, from }: IMenuPlace): void {
  const commands = new CommandRegistry();
  const menu = new Menu({ commands });
  menu.addClass('jp-slurmdash-Menu');
  groups.forEach((group, at) => {
    group.forEach(({ label, run, checked }, index) => {
      const command = `${at}:${index}`;
      commands.addCommand(command, {
        label,
        execute: run,
        isToggled: () => checked === true,
        isToggleable: checked !== undefined
      });
      menu.addItem({ command });
    });
    if (group.length && at < groups.length - 1) {
      menu.addItem({ type: 'separator' });
    }
  });
  menu.aboutToClose.connect(() => {
    if (from.isConnected) {
      from.focus();
    }
  });
  menu.open(x, y);
}
