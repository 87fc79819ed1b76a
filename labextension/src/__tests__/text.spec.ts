import { problemOf } from '../api/client';
import { Problem } from '../problem';
import {
  describe as words,
  formatAge,
  formatBytes,
  formatClock,
  formatDuration,
  formatMoment,
  imageBadges,
  loadText
} from '../text';

const trans = loadText();

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KB'],
    [1536 * 1024, '1.5 MB'],
    [1023.7 * 1024, '1.0 MB'],
    [24 * 1024 ** 3, '24 GB'],
    [-5, '0 B']
  ])('%p is %p', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatClock', () => {
  it.each([
    [0, '0:00'],
    [12.9, '0:12'],
    [3599, '59:59'],
    [14400, '4:00:00'],
    [183600, '2-03:00:00'],
    [-1, '0:00']
  ])('%p is %p', (seconds, text) => {
    expect(formatClock(seconds)).toBe(text);
  });
});

it('rounds durations to what one plans with', () => {
  expect(
    [40, 300, 3600, 5400, 36000, 172800].map(s => formatDuration(trans, s))
  ).toEqual(['40 s', '5 min', '1 h', '1 h 30 min', '10 h', '2 days']);
});

it('tells how long ago a moment was', () => {
  expect(formatAge(trans, 1000, 2000)).toBe('just now');
  expect(formatAge(trans, 0, 40_000)).toBe('40 s ago');
});

it('has nothing to say of no moment', () => {
  expect([null, undefined, 'soon'].map(formatMoment)).toEqual(['', '', '']);
  expect(formatMoment('2026-01-31T12:00:00Z')).toContain('2026');
});

it('reads hardware from labels and names', () => {
  const of = (name: string, labels: Record<string, string> = {}) =>
    imageBadges({ name, labels });
  expect(of('pytorch_cuda.sif')).toEqual(['GPU']);
  expect(of('a.sif', { 'org.x.gpu': 'true', mpi: 'openmpi 4' })).toEqual([
    'GPU',
    'MPI'
  ]);
  expect(of('a.sif', { gpu: 'false' })).toEqual([]);
  expect(of('simple.sif')).toEqual([]);
});

it('says what went wrong and what to do', () => {
  expect(words(trans, new Problem({ code: 'network' }))).toContain('answer');
  expect(words(trans, problemOf(424, 'application/json', '{}', 0))).toContain(
    'JupyterHub has stopped your server'
  );
  expect(words(trans, new Problem({ code: 'no-server-extension' }))).toContain(
    'administrator'
  );
  expect(words(trans, new Problem({ code: 'x', title: 'T' }))).toBe('T');
  expect(words(trans, new Problem({ code: 'x', detail: 'D' }))).toBe('D');
  expect(words(trans, new Error('E'))).toBe('E');
  expect(words(trans, 7)).toBe('7');
});
