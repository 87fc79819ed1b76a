import * as React from 'react';

import { TreeGrid } from '../TreeGrid';
import { inSight, topsOf, type ITreeLine } from '../treelines';
import { draw, press } from './render';

const LINES: ITreeLine[] = [
  { key: 'd/', level: 1, open: true, height: 20 },
  { key: 'd/a', level: 2, height: 40 },
  { key: 'd/b', level: 2, height: 20 },
  { key: 'z', level: 1, height: 20 }
];

function grid(lines: ITreeLine[], told: string[] = []) {
  return (
    <TreeGrid
      label="Files"
      lines={lines}
      draw={line => line.key}
      onToggle={(line, open) => told.push(`${line.key} ${open}`)}
      onKey={(line, event) => told.push(`${line.key} ${event.key}`)}
      onMenu={line => told.push(`${line.key} menu`)}
    />
  );
}

describe('TreeGrid', () => {
  it('is moved in, folded and asked for a menu by keys', () => {
    const told: string[] = [];
    const { host, remove } = draw(grid(LINES, told));
    const active = () =>
      host.querySelector<HTMLElement>('[role="row"][tabindex="0"]')!;
    const key = (name: string) => press(active(), name);
    expect(active().textContent).toBe('d/');
    expect(active().getAttribute('aria-expanded')).toBe('true');
    React.act(() => active().focus());
    key('ArrowRight');
    expect(active().textContent).toBe('d/a');
    expect(document.activeElement).toBe(active());
    expect(active().getAttribute('aria-level')).toBe('2');
    key('End');
    expect(active().textContent).toBe('z');
    key('ArrowDown');
    expect(active().textContent).toBe('z');
    key('ArrowUp');
    key('Delete');
    key('ContextMenu');
    key('ArrowLeft');
    expect(active().textContent).toBe('d/');
    key('ArrowLeft');
    expect(told).toEqual(['d/b Delete', 'd/b menu', 'd/ false']);
    remove();
  });

  it('draws what is in sight of many lines', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => ({
      key: `f${at}`,
      level: 1,
      height: 20
    }));
    const { host, remove } = draw(grid(many));
    const rows = host.querySelectorAll('[role="row"]');
    expect(rows.length).toBeLessThan(60);
    expect(
      host.querySelector('[role="treegrid"]')?.getAttribute('aria-rowcount')
    ).toBe('10000');
    remove();
  });

  it('lives with lines that go', () => {
    const { host, update, remove } = draw(grid(LINES));
    update(grid([LINES[3]]));
    expect(host.querySelectorAll('[role="row"]')).toHaveLength(1);
    update(grid([]));
    expect(host.querySelectorAll('[role="row"]')).toHaveLength(0);
    remove();
  });

  it('gives the focus of a line that goes to the one that stands there then', () => {
    const { host, update, remove } = draw(grid(LINES));
    const active = () =>
      host.querySelector<HTMLElement>('[role="row"][tabindex="0"]')!;
    const [d, a, b, z] = LINES;
    React.act(() => active().focus());
    press(active(), 'ArrowDown');
    update(grid([d, b, z]));
    expect(active().textContent).toBe('d/b');
    expect(document.activeElement).toBe(active());
    // Above it lines come and go: it is the same one still.
    update(grid([d, a, b, z]));
    expect(document.activeElement?.textContent).toBe('d/b');
    press(active(), 'End');
    update(grid([d, a, b]));
    expect(document.activeElement?.textContent).toBe('d/b');
    update(grid([]));
    const box = host.querySelector('[role="treegrid"]');
    expect(document.activeElement).toBe(box);
    update(grid(LINES));
    expect(document.activeElement).toBe(active());
    remove();
  });

  it('gives the focus of a button that goes to its line', () => {
    const of = (button: boolean) => (
      <TreeGrid
        label="Files"
        lines={LINES}
        draw={line => line.key === 'd/a' && button && <button>x</button>}
        onToggle={() => undefined}
      />
    );
    const { host, update, remove } = draw(of(true));
    React.act(() => host.querySelector('button')!.focus());
    update(of(false));
    const row = host.querySelector('[aria-rowindex="2"]');
    expect(document.activeElement).toBe(row);
    remove();
  });

  it('takes no focus that is elsewhere when a line goes, and stays where it was', () => {
    const { host, update, remove } = draw(grid(LINES));
    const active = () =>
      host.querySelector<HTMLElement>('[role="row"][tabindex="0"]')!;
    React.act(() => active().focus());
    press(active(), 'ArrowDown');
    React.act(() => active().blur());
    update(grid([LINES[0], LINES[2], LINES[3]]));
    expect(document.activeElement).toBe(document.body);
    expect(active().textContent).toBe('d/b');
    remove();
  });

  it('finds what is in sight among lines of different heights', () => {
    const tops = topsOf(
      Array.from({ length: 1000 }, (_, at) => ({ height: at % 2 ? 40 : 20 }))
    );
    const seen = inSight(1000, tops, { first: 15_000, last: 15_300 }, 3);
    expect(seen[0]).toBe(3);
    expect(tops[seen[1]]).toBeLessThanOrEqual(15_000);
    expect(tops[seen.at(-1)! + 1]).toBeGreaterThanOrEqual(15_300);
    expect(seen.length).toBeLessThan(25);
  });
});
