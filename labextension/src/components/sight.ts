import * as React from 'react';

/** What of a scrolled box is in sight: the first unit of its length, and the one after the last. */
export interface ISight {
  first: number;
  last: number;
}

/**
 * What of a box is in sight, counted in units of so many pixels, and a function to call when that may have changed.
 *
 * Before the box has a height (and where it has none, as in a test) that is the first `unmeasured` units.
 */
export function useSight(
  box: React.RefObject<HTMLElement | null>,
  unit: number,
  unmeasured: number
): [ISight, () => void] {
  const [sight, setSight] = React.useState({ first: 0, last: unmeasured });
  const measure = React.useCallback(() => {
    const seen = box.current;
    if (!seen?.clientHeight) {
      return;
    }
    const first = Math.floor(seen.scrollTop / unit);
    const last = Math.ceil((seen.scrollTop + seen.clientHeight) / unit);
    setSight(old =>
      old.first === first && old.last === last ? old : { first, last }
    );
  }, [box, unit]);
  React.useLayoutEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(box.current!);
    measure();
    return () => observer.disconnect();
  }, [box, measure]);
  return [sight, measure];
}

/** The rows to draw: those from `from` to before `to`, and the active one wherever it is: the keys are at it. */
export function withActive(
  { first: from, last: to }: ISight,
  active: number,
  count: number
): number[] {
  const rows = Array.from({ length: Math.max(0, to - from) }, (_, at) => {
    return from + at;
  });
  if (active < 0 || active >= count || (active >= from && active < to)) {
    return rows;
  }
  return active < from ? [active, ...rows] : [...rows, active];
}

/** Where a key leads in a list of `count` rows, `page` of them in sight; undefined for other keys. */
export function moved(
  key: string,
  active: number,
  count: number,
  page: number
): number | undefined {
  const within = (at: number) => Math.max(0, Math.min(count - 1, at));
  switch (key) {
    case 'ArrowDown':
      return within(active + 1);
    case 'ArrowUp':
      return within(active - 1);
    case 'PageDown':
      return within(active + page);
    case 'PageUp':
      return within(active - page);
    case 'Home':
      return within(0);
    case 'End':
      return within(count - 1);
    default:
      return undefined;
  }
}
