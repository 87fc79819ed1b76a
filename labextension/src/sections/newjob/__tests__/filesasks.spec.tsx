import * as React from 'react';

import { click, draw, press } from '../../../components/__tests__/render';
import { Question } from '../filesasks';

function page(asks: boolean, told: string[] = []) {
  return (
    <>
      <button data-testid="add">Add files</button>
      <input data-testid="other" />
      {asks && (
        <Question
          question={{ names: ['a.py'], answer: what => told.push(what) }}
        />
      )}
    </>
  );
}

function setup() {
  const told: string[] = [];
  const { get, update, remove } = draw(page(false));
  get('add').focus();
  update(page(true, told));
  expect(document.activeElement).toBe(get('slurmdash-clash-keep'));
  return { get, remove, told, answered: () => update(page(false)) };
}

it('takes the focus while it asks, and gives it back', () => {
  const { get, remove, told, answered } = setup();
  click(get('slurmdash-clash-replace'));
  press(get('slurmdash-clash'), 'Escape');
  expect(told).toEqual(['replace', 'skip']);
  answered();
  expect(document.activeElement).toBe(get('add'));
  remove();
});

it('leaves the focus where the user has taken it meanwhile', () => {
  const { get, remove, answered } = setup();
  get('other').focus();
  answered();
  expect(document.activeElement).toBe(get('other'));
  remove();
});
