import * as React from 'react';

import { isOf, ScriptLines, type IOrigin } from '../ScriptLines';
import { tokens } from '../ScriptText';
import { draw, press } from './render';

const SCRIPT = '#!/bin/bash\n#SBATCH --mem=1G\n\nmine\n';
const none: IOrigin = { pointer: '', words: '', byHand: false };
const ORIGINS: IOrigin[] = [
  none,
  { pointer: '/options/mem', words: 'Memory per node', byHand: false },
  none,
  { pointer: '', words: 'kept by hand', byHand: true }
];

function setup() {
  const pointed: Array<string | null> = [];
  const gone: string[] = [];
  const element = (lit: string | null) => (
    <ScriptLines
      script={SCRIPT}
      label="Script"
      testId="script"
      origins={ORIGINS}
      lit={lit}
      onPoint={pointer => pointed.push(pointer)}
      onGo={pointer => gone.push(pointer)}
    />
  );
  const page = draw(element(null));
  const box = page.get('script');
  const options = [...box.querySelectorAll('[role="option"]')];
  const active = () =>
    page.host.querySelector(
      `[id="${box.getAttribute('aria-activedescendant')}"]`
    );
  return { ...page, element, box, options, active, pointed, gone };
}

function mouse(target: Element, kind: string): void {
  React.act(() => {
    target.dispatchEvent(new MouseEvent(kind, { bubbles: true }));
  });
}

it('says of each line where it comes from', () => {
  const { options, remove } = setup();
  expect(options.map(option => option.getAttribute('aria-label'))).toEqual([
    '#!/bin/bash',
    '#SBATCH --mem=1G — Memory per node',
    'empty line',
    'mine — kept by hand'
  ]);
  expect(options[3].className).toContain('jp-mod-hand');
  remove();
});

it('is worked by the arrow keys; Enter goes to the field', () => {
  const { box, active, pointed, gone, host, remove } = setup();
  React.act(() => box.focus());
  expect(active()?.textContent).toBe('#!/bin/bash\n');
  press(box, 'Enter');
  expect(gone).toEqual([]);
  press(box, 'ArrowDown');
  expect(active()?.textContent).toBe('#SBATCH --mem=1G\n');
  expect(pointed.at(-1)).toBe('/options/mem');
  expect(host.textContent).toContain('Line 2: Memory per node');
  press(box, 'Enter');
  expect(gone).toEqual(['/options/mem']);
  press(box, 'End');
  expect(active()?.textContent).toBe('mine\n');
  expect(pointed.at(-1)).toBeNull();
  React.act(() => box.blur());
  expect(pointed.at(-1)).toBeNull();
  remove();
});

it('is worked by the mouse', () => {
  const { box, options, active, pointed, gone, remove } = setup();
  mouse(options[1], 'mouseover');
  expect(pointed.at(-1)).toBe('/options/mem');
  mouse(options[1], 'mousedown');
  React.act(() => box.focus());
  expect(active()).toBe(options[1]);
  mouse(options[1], 'dblclick');
  expect(gone).toEqual(['/options/mem']);
  mouse(box, 'mouseout');
  expect(pointed.at(-1)).toBeNull();
  remove();
});

it('marks the lines of a field', () => {
  const { options, element, update, remove } = setup();
  update(element('/options/mem'));
  expect(
    options.map(option => option.className.includes('jp-mod-lit'))
  ).toEqual([false, true, false, false]);
  remove();
  expect(isOf('/files/data', '/files')).toBe(true);
  expect(isOf('/files', '/file')).toBe(false);
});

it('tells strings from the rest', () => {
  expect(tokens("export A='$x y'").at(-1)).toEqual(['string', "'$x y'"]);
});
