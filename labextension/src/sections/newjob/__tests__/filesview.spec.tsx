import * as React from 'react';

import { draw } from '../../../components/__tests__/render';
import { FILE_MIME } from '../filesdrag';
import { linesOf } from '../filestree';
import { FilesField } from '../filesview';
import { setup } from './filesmodel';
import { template } from './fakes';

// Counted, not replaced.
jest.mock('../filestree', () => {
  const { linesOf: real } =
    jest.requireActual<typeof import('../filestree')>('../filestree');
  return { linesOf: jest.fn(real) };
});

/** The field with a file in its slot and one in none. */
async function field() {
  const all = setup();
  const { server, files } = all;
  await server.client.createSession(null);
  server.file('run.py', 'script');
  server.file('data.csv');
  await files.restore('s1');
  const model = {
    files,
    template: template('t'),
    messages: () => new Map<string, string>(),
    refresh: () => undefined
  };
  return { ...all, ...draw(<FilesField model={model} />) };
}

/** Drag over a place, or let go there. */
function drag(target: Element, type: string, data: Record<string, string>) {
  const event = new Event(type, { bubbles: true, cancelable: true });
  Object.assign(event, {
    dataTransfer: {
      types: Object.keys(data),
      getData: (mime: string) => data[mime] ?? '',
      items: [],
      files: []
    }
  });
  React.act(() => {
    target.dispatchEvent(event);
  });
  return event.defaultPrevented;
}

it('arranges the files anew only when they have changed', async () => {
  const { files, remove } = await field();
  expect(linesOf).toHaveBeenCalledTimes(1);
  // A drop that is still read is told of.
  React.act(() => void files.take(new Promise(() => undefined)));
  expect(linesOf).toHaveBeenCalledTimes(1);
  await React.act(() => files.setSlot('f-run.py', null));
  expect(jest.mocked(linesOf).mock.lastCall?.[0]).toHaveLength(2);
  remove();
});

it('takes what is dropped on its zone: files, and out of its slot a file that is there', async () => {
  const { files, server, get, remove } = await field();
  const zone = get('slurmdash-drop-zone');
  const take = jest.spyOn(files, 'take').mockResolvedValue();
  expect(drag(zone, 'dragover', { 'text/plain': 'x' })).toBe(false);
  expect(drag(zone, 'dragover', { Files: '' })).toBe(true);
  expect(zone.classList).toContain('jp-mod-over');
  drag(zone, 'dragleave', { Files: '' });
  expect(zone.classList).not.toContain('jp-mod-over');
  expect(drag(zone, 'drop', { Files: '' })).toBe(true);
  expect(take).toHaveBeenCalledWith(expect.any(Promise), undefined);
  await React.act(async () => {
    drag(zone, 'drop', { [FILE_MIME]: 'f-run.py' });
  });
  expect(server.session?.files.map(({ slot }) => slot)).toEqual([null, null]);
  expect(take).toHaveBeenCalledTimes(1);
  remove();
});

it('keeps the focus when the last file of a list or of a slot is removed', async () => {
  const { files, get, host, remove } = await field();
  const row = host.querySelector<HTMLElement>('[role="row"]')!;
  React.act(() => row.focus());
  await React.act(() => files.remove(['f-data.csv']));
  expect(host.querySelector('[role="treegrid"]')).toBeNull();
  expect(document.activeElement?.textContent).toBe('Choose files');
  const slot = get('slurmdash-slot-script');
  React.act(() => [...slot.querySelectorAll('button')].at(-1)!.focus());
  await React.act(() => files.remove(['f-run.py']));
  expect(document.activeElement).toBe(slot.querySelector('button'));
  remove();
});
