import { moved, withActive, type ISight } from './sight';

/** Pixels drawn beyond each edge, so that a quick wheel does not show a gap. */
const SPARE = 120;

/** One line of a tree grid. */
export interface ITreeLine {
  key: string;
  /** From 1. */
  level: number;
  /** Of a line that can be folded; others leave it out. */
  open?: boolean;
  /** Pixels. */
  height: number;
}

/** Where each line begins, and after them where the last one ends. */
export function topsOf(lines: ReadonlyArray<{ height: number }>): number[] {
  const tops = [0];
  for (const { height } of lines) {
    tops.push(tops[tops.length - 1] + height);
  }
  return tops;
}

/** The lines to draw: those in sight with some to spare, and the active one. */
export function inSight(
  count: number,
  tops: ReadonlyArray<number>,
  sight: ISight,
  active: number
): number[] {
  // The last line that begins at or above the edge.
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tops[middle + 1] <= sight.first - SPARE) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  let after = low;
  while (after < count && tops[after] < sight.last + SPARE) {
    after += 1;
  }
  return withActive({ first: low, last: after }, active, count);
}

/** Does a key fold the line, or unfold it? */
export function foldKey(key: string, open: boolean): boolean {
  return key === 'Enter' || key === (open ? 'ArrowLeft' : 'ArrowRight');
}

/** Where a key leads; undefined for keys that lead nowhere. */
export function targetOf(
  key: string,
  lines: ReadonlyArray<ITreeLine>,
  active: number,
  tops: ReadonlyArray<number>,
  sight: ISight
): number | undefined {
  const { level, open } = lines[active];
  const page = (sign: number) => {
    const goal = tops[active] + sign * (sight.last - sight.first);
    const at = tops.findIndex(top => top > goal);
    return at < 0 ? lines.length - 1 : at - 1;
  };
  switch (key) {
    case 'PageDown':
      return page(1);
    case 'PageUp':
      return page(-1);
    case 'ArrowRight':
      return open ? active + 1 : undefined;
    case 'ArrowLeft': {
      if (open) {
        return undefined;
      }
      for (let at = active - 1; at >= 0; at--) {
        if (lines[at].level < level) {
          return at;
        }
      }
      return undefined;
    }
    default:
      return moved(key, active, lines.length, 1);
  }
}
