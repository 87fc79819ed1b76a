/** A piece of a three-way comparison, in lines. */
export interface IHunk {
  /** `same`: nobody changed it; `mine`, `theirs`: only one did; `both`: each made it another. */
  kind: 'same' | 'mine' | 'theirs' | 'both';
  base: string[];
  mine: string[];
  theirs: string[];
}

export type Choice = 'mine' | 'theirs' | 'both';

/** Pairs of equal stretches of two lists of lines: `[at in one, at in other, length]`, in order. */
export function matches(
  one: readonly string[],
  other: readonly string[]
): Array<[number, number, number]> {
  let head = 0;
  while (
    head < one.length &&
    head < other.length &&
    one[head] === other[head]
  ) {
    head += 1;
  }
  let tail = 0;
  while (
    tail < one.length - head &&
    tail < other.length - head &&
    one[one.length - 1 - tail] === other[other.length - 1 - tail]
  ) {
    tail += 1;
  }
  const found: Array<[number, number, number]> = head ? [[0, 0, head]] : [];
  const middle = common(
    one.slice(head, one.length - tail),
    other.slice(head, other.length - tail)
  );
  for (const [a, b] of middle) {
    const last = found.at(-1);
    if (
      last &&
      last[0] + last[2] === a + head &&
      last[1] + last[2] === b + head
    ) {
      last[2] += 1;
    } else {
      found.push([a + head, b + head, 1]);
    }
  }
  if (tail) {
    found.push([one.length - tail, other.length - tail, tail]);
  }
  return found;
}

/** A longest common subsequence by Myers' greedy search: O(differences × length). */
function common(
  one: readonly string[],
  other: readonly string[]
): Array<[number, number]> {
  const [n, m] = [one.length, other.length];
  const trace: Array<Map<number, number>> = [];
  let reach = new Map<number, number>([[1, 0]]);
  const at = (map: Map<number, number>, k: number) => map.get(k) ?? -1;
  for (let d = 0; d <= n + m; d++) {
    const next = new Map(reach);
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && at(reach, k - 1) < at(reach, k + 1));
      let x = down ? at(reach, k + 1) : at(reach, k - 1) + 1;
      while (x < n && x - k < m && one[x] === other[x - k]) {
        x += 1;
      }
      next.set(k, x);
      if (x >= n && x - k >= m) {
        return walkBack(trace.concat(reach), n, m, d);
      }
    }
    trace.push(reach);
    reach = next;
  }
  return [];
}

function walkBack(
  trace: ReadonlyArray<Map<number, number>>,
  n: number,
  m: number,
  steps: number
): Array<[number, number]> {
  const pairs: Array<[number, number]> = [];
  let [x, y] = [n, m];
  for (let d = steps; d >= 0; d--) {
    const reach = trace[d];
    const k = x - y;
    const at = (which: number) => reach.get(which) ?? -1;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const from = down ? k + 1 : k - 1;
    const [px, py] = d === 0 ? [0, 0] : [at(from), at(from) - from];
    const [sx, sy] = d === 0 ? [0, 0] : down ? [px, py + 1] : [px + 1, py];
    while (x > sx && y > sy) {
      x -= 1;
      y -= 1;
      pairs.push([x, y]);
    }
    [x, y] = [px, py];
  }
  return pairs.reverse();
}

/** Who changed what since `base`. The pieces in order make up each of the three texts. */
export function compare(base: string, mine: string, theirs: string): IHunk[] {
  const lines = [base, mine, theirs].map(text => text.split('\n'));
  const [b, m, t] = lines;
  const inMine = partner(b.length, matches(b, m));
  const inTheirs = partner(b.length, matches(b, t));
  const hunks: IHunk[] = [];
  const add = (kind: IHunk['kind'], part: Omit<IHunk, 'kind'>) => {
    const last = hunks.at(-1);
    if (last && last.kind === kind && kind === 'same') {
      last.base.push(...part.base);
      last.mine.push(...part.mine);
      last.theirs.push(...part.theirs);
    } else {
      hunks.push({ kind, ...part });
    }
  };
  let [i, j, k] = [0, 0, 0];
  const upTo = (bi: number, mj: number, tk: number) => {
    if (bi > i || mj > j || tk > k) {
      const part = {
        base: b.slice(i, bi),
        mine: m.slice(j, mj),
        theirs: t.slice(k, tk)
      };
      add(kindOf(part), part);
    }
    [i, j, k] = [bi, mj, tk];
  };
  for (let at = 0; at < b.length; at++) {
    // A line that all three have is firm ground.
    if (inMine[at] >= 0 && inTheirs[at] >= 0) {
      upTo(at, inMine[at], inTheirs[at]);
      add('same', { base: [b[at]], mine: [b[at]], theirs: [b[at]] });
      [i, j, k] = [at + 1, inMine[at] + 1, inTheirs[at] + 1];
    }
  }
  upTo(b.length, m.length, t.length);
  return hunks;
}

function partner(
  length: number,
  pairs: ReadonlyArray<[number, number, number]>
): number[] {
  const found = new Array<number>(length).fill(-1);
  for (const [a, b, count] of pairs) {
    for (let step = 0; step < count; step++) {
      found[a + step] = b + step;
    }
  }
  return found;
}

function kindOf({ base, mine, theirs }: Omit<IHunk, 'kind'>): IHunk['kind'] {
  const [b, m, t] = [base, mine, theirs].map(part => JSON.stringify(part));
  if (m === t) {
    // Both made the same of it.
    return m === b ? 'same' : 'mine';
  }
  return b === m ? 'theirs' : b === t ? 'mine' : 'both';
}

/** What stands for a piece until someone chooses; nothing where the two contradict. */
export function usual(hunk: IHunk): Choice | null {
  return hunk.kind === 'both'
    ? null
    : hunk.kind === 'theirs'
      ? 'theirs'
      : 'mine';
}

/** The text that the choices make; a piece without one keeps mine. */
export function merged(
  hunks: readonly IHunk[],
  choices: ReadonlyArray<Choice | null>
): string {
  return hunks
    .flatMap((hunk, at) => {
      switch (choices[at] ?? usual(hunk)) {
        case 'theirs':
          return hunk.theirs;
        case 'both':
          return [...hunk.mine, ...hunk.theirs];
        default:
          return hunk.mine;
      }
    })
    .join('\n');
}
