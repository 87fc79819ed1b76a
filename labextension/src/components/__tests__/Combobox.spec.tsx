import * as React from 'react';

import type { IChoice } from '../../types';
import { Combobox, filterChoices } from '../Combobox';
import { click, draw, press, type } from './render';

const CHOICES: IChoice[] = [
  { id: 'a', label: 'Alpha run', detail: 'first', badges: ['GPU'] },
  { id: 'b', label: 'Beta', keywords: 'alpha' },
  { id: 'c', label: 'Gamma', problem: 'broken at line 3' },
  { id: 'd', label: '<img src=x onerror=alert(1)>' }
];

function setup(choices = CHOICES, value: string | null = null, free = false) {
  const chosen: Array<string | null> = [];
  const page = draw(
    <Combobox
      label="Template"
      choices={choices}
      value={value}
      clearable
      free={free}
      testId="box"
      optionTestId="option"
      onChange={id => chosen.push(id)}
    />
  );
  const box = page.get<HTMLInputElement>('box');
  const options = () =>
    [...page.host.querySelectorAll('[role="option"]')].map(
      option => option.querySelector('.jp-slurmdash-Option-label')?.textContent
    );
  return { ...page, box, chosen, options };
}

describe('Combobox', () => {
  it('takes any text where nothing is known to choose from', () => {
    const { box, chosen, remove } = setup([], 'old', true);
    expect(box.value).toBe('old');
    click(box);
    expect(box.getAttribute('aria-expanded')).toBe('false');
    type(box, 'mine');
    type(box, '');
    expect(chosen).toEqual(['mine', null]);
    expect(box.getAttribute('aria-expanded')).toBe('false');
    remove();
  });

  it('shows its value when there is something to choose from after one has typed', () => {
    const field = (choices: IChoice[], value: string | null) => (
      <Combobox
        label="Account"
        choices={choices}
        value={value}
        free
        clearable
        testId="box"
        optionTestId="option"
        onChange={() => undefined}
      />
    );
    const { get, update, remove } = draw(field([], null));
    const box = get<HTMLInputElement>('box');
    type(box, 'mine');
    update(field(CHOICES, 'mine'));
    expect(box.value).toBe('mine');
    update(field(CHOICES, null));
    expect(box.value).toBe('');
    remove();
  });

  it('opens by click, and says so', () => {
    const { box, options, remove } = setup();
    expect(box.getAttribute('aria-expanded')).toBe('false');
    click(box);
    expect(box.getAttribute('aria-expanded')).toBe('true');
    expect(options()).toHaveLength(4);
    remove();
  });

  it('is worked by the arrow keys, Enter and Escape', () => {
    const { box, chosen, host, remove } = setup();
    press(box, 'ArrowDown');
    const active = () =>
      host.querySelector(`[id="${box.getAttribute('aria-activedescendant')}"]`)
        ?.textContent;
    expect(active()).toContain('Alpha');
    press(box, 'ArrowDown');
    expect(active()).toContain('Beta');
    press(box, 'ArrowUp');
    press(box, 'ArrowUp');
    expect(active()).toContain('Alpha');
    press(box, 'PageDown');
    expect(active()).toContain('img');
    press(box, 'Escape');
    expect(box.getAttribute('aria-expanded')).toBe('false');
    press(box, 'ArrowDown');
    press(box, 'Enter');
    expect(chosen).toEqual(['a']);
    remove();
  });

  it('narrows while one types; what begins with it comes first', () => {
    const { box, options, chosen, remove } = setup();
    type(box, 'alpha');
    expect(options()).toEqual(['Alpha run', 'Beta']);
    press(box, 'Enter');
    expect(chosen).toEqual(['a']);
    type(box, 'nothing like it');
    expect(options()).toEqual([undefined]);
    press(box, 'Enter');
    expect(chosen).toEqual(['a']);
    remove();
  });

  it('does not take what cannot be used, and says why', () => {
    const { box, chosen, get, remove } = setup();
    click(box);
    expect(get('option-c').textContent).toContain('broken at line 3');
    click(get('option-c'));
    expect(chosen).toEqual([]);
    click(get('option-b'));
    expect(chosen).toEqual(['b']);
    remove();
  });

  it('shows names as text', () => {
    const { box, host, remove } = setup();
    click(box);
    expect(host.querySelector('img')).toBeNull();
    remove();
  });

  it('closes when one clicks elsewhere or goes on, not when the focus is taken away', () => {
    const { box, remove } = setup();
    click(box);
    void React.act(() =>
      box.dispatchEvent(new FocusEvent('focusout', { bubbles: true }))
    );
    expect(box.getAttribute('aria-expanded')).toBe('true');
    React.act(() => {
      document.body.dispatchEvent(new Event('pointerdown', { bubbles: true }));
    });
    expect(box.getAttribute('aria-expanded')).toBe('false');
    click(box);
    press(box, 'Tab');
    expect(box.getAttribute('aria-expanded')).toBe('false');
    remove();
  });

  it('shows what is chosen, and takes it back', () => {
    const { box, host, chosen, remove } = setup(CHOICES, 'b');
    expect(box.value).toBe('Beta');
    click(host.querySelector('[aria-label="Clear Template"]')!);
    expect(chosen).toEqual([null]);
    remove();
  });

  it('draws a part of a long list and says how many more there are', () => {
    const many = Array.from({ length: 1000 }, (_, n) => ({
      id: `${n}`,
      label: `Item ${n}`
    }));
    const { box, host, remove } = setup(many);
    click(box);
    expect(host.querySelectorAll('[role="option"]')).toHaveLength(61);
    expect(host.textContent).toContain('940 more');
    remove();
  });
});

it('finds by every word, wherever it stands', () => {
  expect(filterChoices(CHOICES, 'RUN alp').map(({ id }) => id)).toEqual(['a']);
  expect(filterChoices(CHOICES, '  ')).toHaveLength(4);
});
