import { compare, matches, merged, usual } from '../merge';

const text = (...lines: string[]) => lines.join('\n');

/** Random texts of few words, so that lines often repeat. */
function* samples(count: number): Generator<[string, string, string]> {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const change = (lines: string[]) =>
    lines.flatMap(line => {
      switch (next(6)) {
        case 0:
          return [];
        case 1:
          return [line, 'x'.repeat(next(3))];
        case 2:
          return ['y'.repeat(next(3))];
        default:
          return [line];
      }
    });
  for (let at = 0; at < count; at++) {
    const base = Array.from({ length: next(12) }, () => 'abc'[next(3)]);
    yield [base, change(base), change(base)].map(each => each.join('\n')) as [
      string,
      string,
      string
    ];
  }
}

it('finds what two lists of lines have in common', () => {
  expect(matches(['a', 'b', 'c', 'd'], ['a', 'x', 'c', 'd'])).toEqual([
    [0, 0, 1],
    [2, 2, 2]
  ]);
  expect(matches(['a', 'b'], ['c'])).toEqual([]);
  expect(matches(['a', 'b', 'c', 'a'], ['b', 'c', 'x', 'a', 'b'])).toEqual([
    [1, 0, 2],
    [3, 3, 1]
  ]);
});

it('takes what only one side changed, and asks where both did', () => {
  const base = text('id: a', 'nodes: 1', 'mem: 4G', 'time: 1', 'end: x');
  const mine = text('id: a', 'nodes: 2', 'mem: 4G', 'time: 5', 'end: x');
  const theirs = text('id: a', 'nodes: 1', 'mem: 8G', 'time: 9', 'end: x');
  const hunks = compare(base, mine, theirs);
  expect(hunks.at(-1)!.kind).toBe('same');
  // Three neighbours without firm ground between them are one question.
  expect(hunks.filter(({ kind }) => kind === 'both')).toHaveLength(1);
  const apart = compare(
    text('a', '', 'b', '', 'c'),
    text('A', '', 'b', '', 'c1'),
    text('a', '', 'B', '', 'c2')
  );
  expect(apart.map(({ kind }) => kind)).toEqual([
    'mine',
    'same',
    'theirs',
    'same',
    'both'
  ]);
  expect(merged(apart, [])).toBe(text('A', '', 'B', '', 'c1'));
  const choose = (last: 'theirs' | 'both') =>
    merged(apart, [null, null, null, null, last]);
  expect(choose('theirs')).toBe(text('A', '', 'B', '', 'c2'));
  expect(choose('both')).toBe(text('A', '', 'B', '', 'c1', 'c2'));
});

it('loses no line of anybody, whatever the texts', () => {
  for (const [base, mine, theirs] of samples(3000)) {
    const hunks = compare(base, mine, theirs);
    const whole = (side: 'base' | 'mine' | 'theirs') =>
      hunks.flatMap(hunk => hunk[side]).join('\n');
    expect([whole('base'), whole('mine'), whole('theirs')]).toEqual([
      base,
      mine,
      theirs
    ]);
    const all = hunks.map(hunk => (usual(hunk) === null ? 'mine' : null));
    if (mine === base) {
      expect(merged(hunks, all)).toBe(theirs);
    }
    if (theirs === base) {
      expect(merged(hunks, all)).toBe(mine);
    }
  }
});
