import * as React from 'react';

import { moved } from '../sight';
import { VirtualList, drawn } from '../VirtualList';
import { click, draw } from './render';

function list(count: number, active: number, chosen: number[] = []) {
  return (
    <VirtualList
      id="list"
      label="Things"
      count={count}
      rowHeight={20}
      active={active}
      keyOf={String}
      row={at => `Thing ${at}`}
      isDisabled={at => at === 1}
      focusable
      optionTestId="thing"
      onChoose={at => chosen.push(at)}
    />
  );
}

describe('VirtualList', () => {
  it('draws what is in sight, and says where each stands among all', () => {
    const { host, remove } = draw(list(2000, 0));
    const options = [...host.querySelectorAll('[role="option"]')];
    expect(options.length).toBeLessThan(30);
    expect(options[3].getAttribute('aria-posinset')).toBe('4');
    expect(options[3].getAttribute('aria-setsize')).toBe('2000');
    const inner = host.querySelector<HTMLElement>('[role="presentation"]')!;
    expect(inner.style.height).toBe('40000px');
    remove();
  });

  it('always draws the active one, and names it', () => {
    const { host, update, remove } = draw(list(2000, 0));
    update(list(2000, 1999));
    const box = host.querySelector('[role="listbox"]')!;
    const named = box.getAttribute('aria-activedescendant')!;
    const option = host.querySelector(`[id="${named}"]`)!;
    expect(option.textContent).toBe('Thing 1999');
    expect(option.getAttribute('aria-selected')).toBe('true');
    expect(host.querySelectorAll('[aria-selected="true"]')).toHaveLength(1);
    remove();
  });

  it('is chosen from by click, and tells what cannot be used', () => {
    const chosen: number[] = [];
    const { get, remove } = draw(list(5, 0, chosen));
    click(get('thing-2'));
    expect(chosen).toEqual([2]);
    expect(get('thing-1').getAttribute('aria-disabled')).toBe('true');
    remove();
  });

  it('lives with a list that becomes shorter, and with none', () => {
    const { host, update, remove } = draw(list(2000, 3));
    update(list(2, 1));
    expect(host.querySelectorAll('[role="option"]')).toHaveLength(2);
    update(list(0, -1));
    expect(host.querySelectorAll('[role="option"]')).toHaveLength(0);
    const box = host.querySelector('[role="listbox"]')!;
    expect(box.hasAttribute('aria-activedescendant')).toBe(false);
    remove();
  });

  it('scrolls to the active row, no further than it must', () => {
    const { host, update, remove } = draw(list(100, 0));
    const box = host.querySelector('[role="listbox"]')!;
    Object.defineProperty(box, 'clientHeight', { value: 100 });
    update(list(100, 10));
    expect(box.scrollTop).toBe(11 * 20 - 100);
    update(list(100, 8));
    expect(box.scrollTop).toBe(11 * 20 - 100);
    update(list(100, 2));
    expect(box.scrollTop).toBe(40);
    remove();
  });
});

it('draws some to spare beyond the edges', () => {
  expect(drawn({ first: 10, last: 12 }, 11, 100)).toEqual([
    6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  ]);
  expect(drawn({ first: 0, last: 2 }, 0, 3)).toEqual([0, 1, 2]);
  expect(drawn({ first: 50, last: 51 }, 2, 100)[0]).toBe(2);
  expect(drawn({ first: 0, last: 1 }, 90, 100).at(-1)).toBe(90);
  expect(drawn({ first: 500, last: 510 }, -1, 3)).toEqual([0, 1, 2]);
});

it('moves by rows, pages and to the ends', () => {
  expect(moved('ArrowDown', 4, 5, 3)).toBe(4);
  expect(moved('ArrowUp', 4, 5, 3)).toBe(3);
  expect(moved('PageDown', 0, 50, 6)).toBe(6);
  expect(moved('PageUp', 4, 50, 6)).toBe(0);
  expect(moved('Home', 4, 50, 6)).toBe(0);
  expect(moved('End', 4, 50, 6)).toBe(49);
  expect(moved('x', 4, 50, 6)).toBeUndefined();
});
