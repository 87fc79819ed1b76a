import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';

import {
  CheckMark,
  checkWords,
  countWords,
  medianWords,
  type CheckBrief,
  type Runs
} from '../HealthMark';
import { draw } from './render';

const trans = nullTranslator.load('');
const NOW = Date.parse('2026-01-31T12:00:00Z');
const check = (more: Partial<CheckBrief> = {}): CheckBrief => ({
  level: 'ok',
  checked_at: '2026-01-31T10:00:00Z',
  current: true,
  ...more
});
const runs = (more: Partial<Runs> = {}): Runs => ({
  good: 3,
  ended: 4,
  cancelled: 0,
  median_wait: 12,
  median_run: 180,
  ...more
});

it.each([
  [null, 'not checked yet'],
  [check(), 'checked 2 h ago'],
  [check({ level: 'warning' }), 'a warning, checked 2 h ago'],
  [check({ level: 'error' }), 'does not work, checked 2 h ago'],
  [check({ current: false }), 'not checked since it was changed']
])('says what a check found: %j', (given, words) => {
  expect(checkWords(trans, given, NOW)).toBe(words);
});

it('says small numbers as they are', () => {
  expect(countWords(trans, runs())).toBe('3 of 4 ended well');
  expect(countWords(trans, runs({ cancelled: 2 }))).toBe(
    '3 of 4 ended well, 2 cancelled'
  );
  expect(countWords(trans, runs({ good: 0, ended: 0, cancelled: 1 }))).toBe(
    '1 cancelled'
  );
  expect(medianWords(trans, runs())).toBe('median wait 12 s, run 3 min');
  expect(medianWords(trans, runs({ median_run: null }))).toBe(
    'median wait 12 s'
  );
  expect(medianWords(trans, runs({ median_wait: null }))).toBe(
    'median run 3 min'
  );
  expect(
    medianWords(trans, runs({ median_wait: null, median_run: null }))
  ).toBe('');
});

it.each([
  [check(), false, 'ok', 'checked 2 h ago'],
  [
    check({ current: false }),
    false,
    'none',
    'not checked since it was changed'
  ],
  [check({ level: 'error' }), true, 'running', 'Checking…'],
  [undefined, false, 'none', 'not checked yet']
])('marks it by word and level', (given, running, level, words) => {
  const { get, remove } = draw(
    <CheckMark check={given} running={running} now={NOW} testId="mark" />
  );
  const mark = get('mark');
  expect(mark.dataset.level).toBe(level);
  expect(mark.textContent).toBe(words);
  remove();
});
