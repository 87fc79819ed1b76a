import { readDrop } from '../filesdrop';
import { freeName } from '../filesintake';
import { Meter, timeLeft } from '../filesmeter';
import { rowOfServer } from '../filesrows';
import { linesOf } from '../filestree';

describe('Meter', () => {
  const meter = () => {
    let now = 0;
    const made = new Meter(() => now);
    return { made, at: (time: number) => (now = time) };
  };

  it('averages over the last seconds', () => {
    const { made, at } = meter();
    expect(made.speed).toBe(0);
    for (let time = 0; time <= 20_000; time += 250) {
      at(time);
      made.add(time < 10_000 ? time : 10_000 + (time - 10_000) * 3);
    }
    expect(made.speed).toBeCloseTo(3000, -2);
  });

  it('is never negative and never no number, whatever comes', () => {
    const { made, at } = meter();
    let time = 0;
    for (const [step, sent] of [
      [0, 0],
      [0, 1000],
      [1, 5000],
      [3000, 200],
      [-50, 300],
      [500, 300],
      [90_000, 900],
      [0, 0]
    ]) {
      time += step;
      at(time);
      made.add(sent);
      expect(made.speed).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(made.speed)).toBe(true);
    }
  });

  it('does not count what the server had already, nor the time asleep', () => {
    const { made, at } = meter();
    made.add(5e9);
    at(1000);
    made.add(5e9 + 1000);
    expect(made.speed).toBe(1000);
    at(3_600_000);
    expect(made.speed).toBe(0);
    made.add(5e9 + 2000);
    at(3_601_000);
    made.add(5e9 + 4000);
    expect(made.speed).toBe(2000);
  });

  it('becomes slower while a line hangs', () => {
    const { made, at } = meter();
    made.add(0);
    at(1000);
    made.add(1000);
    at(4500);
    expect(made.speed).toBe(250);
  });

  it('tells the time left only when it can', () => {
    expect(timeLeft(1000, 500, 100)).toBe(5);
    expect(timeLeft(1000, 1200, 100)).toBe(0);
    expect(timeLeft(null, 500, 100)).toBeNull();
    expect(timeLeft(1000, 500, 0)).toBeNull();
    expect(timeLeft(1000, 500, NaN)).toBeNull();
  });
});

const row = (name: string, size = 10) =>
  rowOfServer(
    {
      file_id: name,
      name,
      type: 'data',
      slot: null,
      size,
      offset: size,
      progress: 100,
      state: 'complete',
      origin: 'upload',
      sha256: null,
      problem: null
    },
    name,
    undefined
  );

describe('linesOf', () => {
  it('groups by folder, sums up, and folds', () => {
    const rows = ['mesh/fine/a', 'mesh/fine/b', 'mesh/c', 'z'].map(name =>
      row(name)
    );
    const shown = (folds: [string, boolean][] = []) =>
      linesOf(rows, new Map(folds)).map(
        ({ level, name }) => `${'  '.repeat(level - 1)}${name}`
      );
    expect(shown()).toEqual(['mesh', '  fine', '    a', '    b', '  c', 'z']);
    expect(shown([['mesh/fine', false]])).toEqual([
      'mesh',
      '  fine',
      '  c',
      'z'
    ]);
    expect(shown([['mesh', false]])).toEqual(['mesh', 'z']);
    expect(linesOf(rows, new Map([['mesh', false]]))[0]).toMatchObject({
      files: 3,
      complete: 3,
      size: 30,
      sent: 30
    });
  });

  it('begins with large folders folded', () => {
    const rows = Array.from({ length: 10_000 }, (_, at) => row(`d/${at}`));
    expect(linesOf(rows, new Map())).toHaveLength(1);
    expect(linesOf(rows, new Map([['d', true]]))).toHaveLength(10_001);
  });
});

describe('readDrop', () => {
  const entry = (name: string, children?: unknown[]): unknown => ({
    isFile: !children,
    isDirectory: Boolean(children),
    fullPath: name,
    file: (done: (file: File) => void) => done(new File(['x'], name)),
    createReader: () => {
      // As browsers do it: up to 100 at a time.
      const rest = [...(children ?? [])];
      return {
        readEntries: (done: (some: unknown[]) => void) =>
          done(rest.splice(0, 100))
      };
    }
  });

  it('reads a folder to its end, with its structure', async () => {
    const leaves = Array.from({ length: 250 }, (_, at) =>
      entry(`/d/e/${at}.dat`)
    );
    const tree = entry('/d', [
      entry('/d/e', leaves),
      entry('/d/\u1112\u1161\u11ab')
    ]);
    const items = [tree, entry('/top.txt')].map(one => ({
      kind: 'file',
      webkitGetAsEntry: () => one
    }));
    const picked = await readDrop({ items, files: [] } as never);
    expect(picked).toHaveLength(252);
    expect(picked[249].name).toBe('d/e/249.dat');
    expect(picked[250].name).toBe('d/\ud55c');
    expect(picked[251].name).toBe('top.txt');
  });

  it('takes plain files as they are', async () => {
    const file = new File(['x'], 'a.py');
    const picked = await readDrop({ items: [], files: [file] } as never);
    expect(picked).toEqual([{ name: 'a.py', file }]);
  });
});

it('finds a free name beside the one that is taken, as the server would', () => {
  const taken = new Set(['mesh.tar.gz', 'mesh (2).tar.gz', '.env', 'd.x/a']);
  const free = (name: string) => freeName(name, other => taken.has(other));
  expect(free('mesh.tar.gz')).toBe('mesh (3).tar.gz');
  expect(free('.env')).toBe('.env (2)');
  expect(free('d.x/a')).toBe('d.x/a (2)');
});
