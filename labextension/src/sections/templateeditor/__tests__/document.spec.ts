import {
  freeName,
  moveSlot,
  readSlots,
  renamed,
  slotPointers,
  typed,
  valueAt,
  withValue,
  writeSlots
} from '../document';
import { lineOf } from '../locate';
import { readDiff } from '../udiff';

const DOC = {
  files: {
    input_schema: {
      required: [{ name: 'script', pattern: '*.py' }],
      optional: [{ name: 'model', pattern: '*.pth' }]
    },
    config_schema: { required: [{ name: 'config', pattern: 'c.yaml' }] }
  }
};

it('changes one value and leaves the rest as it is', () => {
  const next = withValue(DOC, ['slurm', 'nodes'], 2);
  expect(valueAt(next, ['slurm', 'nodes'])).toBe(2);
  expect(next.files).toBe(DOC.files);
  expect(withValue(next, ['slurm', 'nodes'], undefined)).toEqual(DOC);
  expect(valueAt(DOC, ['files', 'nothing', 'here'])).toBeUndefined();
});

it('reads what was typed as the file should have it', () => {
  expect(typed('', 'number')).toBeUndefined();
  expect(typed('8', 'number')).toBe(8);
  expect(typed('1e-3', 'number')).toBe(0.001);
  expect(typed('1-4', 'number')).toBe('1-4');
  expect(typed('10MB', 'size')).toBe('10MB');
  expect(typed('8', 'text')).toBe('8');
});

it('moves a slot, which becomes what its neighbours are', () => {
  const slots = readSlots(DOC);
  expect(slots.map(({ value }) => value.name)).toEqual([
    'script',
    'model',
    'config'
  ]);
  expect(slotPointers(DOC)[1]).toBe('/files/input_schema/optional/0');
  const moved = moveSlot(slots, 2, 0);
  expect(moved[0]).toMatchObject({ kind: 'input', required: true });
  expect(moveSlot(slots, 0, -1)).toEqual(slots);
  const next = writeSlots(DOC, moved);
  expect(readSlots(next).map(({ value }) => value.name)).toEqual([
    'config',
    'script',
    'model'
  ]);
  expect(valueAt(next, ['files', 'config_schema'])).toBeUndefined();
  expect(writeSlots(DOC, slots)).toEqual(DOC);
});

it('keeps the words of an older file', () => {
  const old = { input_file_schema: { required_files: [{ name: 'a' }] } };
  const slots = readSlots(old);
  expect(slots).toHaveLength(1);
  expect(writeSlots(old, [...slots, { ...slots[0], required: false }])).toEqual(
    {
      input_file_schema: {
        required_files: [{ name: 'a' }],
        optional_files: [{ name: 'a' }]
      }
    }
  );
});

it('names and renames', () => {
  expect(freeName('file', ['file', 'file_2'])).toBe('file_3');
  expect(Object.keys(renamed({ a: 1, b: 2, c: 3 }, 'b', 'x'))).toEqual([
    'a',
    'x',
    'c'
  ]);
});

it('finds the line of a pointer', () => {
  const text = [
    '# head',
    'template:',
    '  id: a',
    '  tags: [x]',
    'files:',
    '  input_schema:',
    '    required:',
    '      - name: one',
    '        pattern: "*"',
    '      - name: two',
    '        max_size: 1QB',
    'slurm:',
    '  "nodes": 0'
  ].join('\n');
  expect(lineOf(text, '/template/id')).toBe(3);
  expect(lineOf(text, '/slurm/nodes')).toBe(13);
  expect(lineOf(text, '/files/input_schema/required/1/max_size')).toBe(11);
  expect(lineOf(text, '/files/input_schema/required/1/name')).toBe(10);
  expect(lineOf(text, '/template/tags/0')).toBe(4);
  expect(lineOf(text, '/template/nothing')).toBe(2);
  expect(lineOf(text, '')).toBe(1);
});

it('reads a unified diff', () => {
  expect(
    readDiff('--- a\n+++ b\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n').map(
      ({ kind, text }) => [kind, text]
    )
  ).toEqual([
    ['place', '@@ -1,2 +1,2 @@'],
    ['same', 'same'],
    ['remove', 'old'],
    ['add', 'new']
  ]);
  expect(readDiff('')).toEqual([]);
});
