import * as React from 'react';

/** Pixels drawn beyond each edge, so that a quick wheel does not show a gap. */
const SPARE = 120;

/** Pixels drawn before the height is known (and where there is none, as in a test). */
const UNMEASURED = 400;

/** One line of the grid. */
export interface ITreeLine {
  key: string;
  /** From 1. */
  level: number;
  /** Of a line that can be folded; others leave it out. */
  open?: boolean;
  /** Pixels. */
  height: number;
}

interface ITreeGridProps<T extends ITreeLine> {
  label: string;
  lines: ReadonlyArray<T>;
  /** What stands in a line; `active`: the keys are at it, its buttons may take the focus. */
  draw: (line: T, active: boolean) => React.ReactNode;
  onToggle: (line: T, open: boolean) => void;
  /** Other keys than those that move; the element is the line's. */
  onKey?: (line: T, event: React.KeyboardEvent<HTMLElement>) => void;
  onMenu?: (line: T, at: { x: number; y: number }, from: HTMLElement) => void;
  /** What a line gives when it is dragged. */
  onDragStart?: (line: T, data: DataTransfer) => boolean;
  testId?: string;
}

/** A WAI-ARIA treegrid of any length, of which only what is in sight is drawn. */
export function TreeGrid<T extends ITreeLine>({
  label,
  lines,
  draw,
  onToggle,
  onKey,
  onMenu,
  onDragStart,
  testId
}: ITreeGridProps<T>): React.JSX.Element {
  const box = React.useRef<HTMLDivElement>(null);
  const [view, setView] = React.useState({ top: 0, bottom: UNMEASURED });
  const [activeKey, setActiveKey] = React.useState<string | null>(null);
  const tops = topsOf(lines);
  const found = lines.findIndex(({ key }) => key === activeKey);
  const active = found < 0 ? 0 : found;
  const focusing = React.useRef(false);

  const measure = React.useCallback(() => {
    const seen = box.current;
    if (seen?.clientHeight) {
      const top = seen.scrollTop;
      const bottom = top + seen.clientHeight;
      setView(old =>
        old.top === top && old.bottom === bottom ? old : { top, bottom }
      );
    }
  }, []);
  React.useLayoutEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(box.current!);
    measure();
    return () => observer.disconnect();
  }, [measure]);
  React.useLayoutEffect(() => {
    if (focusing.current) {
      focusing.current = false;
      box.current
        ?.querySelector<HTMLElement>('[role="row"][tabindex="0"]')
        ?.focus({ preventScroll: true });
    }
  });

  const go = (index: number) => {
    const to = Math.max(0, Math.min(lines.length - 1, index));
    const seen = box.current!;
    seen.scrollTop = Math.max(
      Math.min(seen.scrollTop, tops[to]),
      tops[to + 1] - seen.clientHeight
    );
    focusing.current = true;
    setActiveKey(lines[to].key);
    measure();
  };
  const onKeyDown = (event: React.KeyboardEvent<HTMLElement>) => {
    const line = lines[active];
    const row = (event.target as HTMLElement).closest<HTMLElement>(
      '[role="row"]'
    );
    if (!line || !row) {
      return;
    }
    if (
      onMenu &&
      (event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10'))
    ) {
      event.preventDefault();
      const { left, bottom } = row.getBoundingClientRect();
      onMenu(line, { x: left + 24, y: bottom }, row);
      return;
    }
    if (event.target !== row) {
      return;
    }
    const to = targetOf(event.key, lines, active, tops, view);
    if (to !== undefined) {
      event.preventDefault();
      go(to);
    } else if (line.open !== undefined && foldKey(event.key, line.open)) {
      event.preventDefault();
      onToggle(line, !line.open);
    } else {
      onKey?.(line, event);
    }
  };

  return (
    <div
      ref={box}
      role="treegrid"
      aria-label={label}
      aria-rowcount={lines.length}
      className="jp-slurmdash-TreeGrid"
      data-testid={testId}
      onScroll={measure}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={{ height: tops[lines.length] }}>
        {inSight(lines.length, tops, view, active).map(index => {
          const line = lines[index];
          return (
            <div
              key={line.key}
              role="row"
              aria-level={line.level}
              aria-rowindex={index + 1}
              aria-expanded={line.open}
              tabIndex={index === active ? 0 : -1}
              className="jp-slurmdash-TreeGrid-row"
              style={
                {
                  top: tops[index],
                  height: line.height,
                  '--slurmdash-level': line.level - 1
                } as React.CSSProperties
              }
              draggable={onDragStart !== undefined}
              onDragStart={event => {
                if (!onDragStart?.(line, event.dataTransfer)) {
                  event.preventDefault();
                }
              }}
              onFocus={() => setActiveKey(line.key)}
              onContextMenu={event => {
                if (onMenu && !event.shiftKey) {
                  event.preventDefault();
                  event.stopPropagation();
                  const { clientX: x, clientY: y } = event;
                  onMenu(line, { x, y }, event.currentTarget);
                }
              }}
            >
              <div role="gridcell">{draw(line, index === active)}</div>
            </div>
          );
        })}
      </div>
    </div>
  );
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
  view: { top: number; bottom: number },
  active: number
): number[] {
  // The last line that begins at or above the edge.
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tops[middle + 1] <= view.top - SPARE) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const seen: number[] = [];
  for (let at = low; at < count && tops[at] < view.bottom + SPARE; at++) {
    seen.push(at);
  }
  if (active < count && !seen.includes(active)) {
    seen.push(active);
    seen.sort((one, other) => one - other);
  }
  return seen;
}

function foldKey(key: string, open: boolean): boolean {
  return key === 'Enter' || key === (open ? 'ArrowLeft' : 'ArrowRight');
}

/** Where a key leads; undefined for keys that lead nowhere. */
function targetOf(
  key: string,
  lines: ReadonlyArray<ITreeLine>,
  active: number,
  tops: ReadonlyArray<number>,
  view: { top: number; bottom: number }
): number | undefined {
  const { level, open } = lines[active];
  const page = (sign: number) => {
    const goal = tops[active] + sign * (view.bottom - view.top);
    const at = tops.findIndex(top => top > goal);
    return at < 0 ? lines.length - 1 : at - 1;
  };
  switch (key) {
    case 'ArrowDown':
      return active + 1;
    case 'ArrowUp':
      return active - 1;
    case 'Home':
      return 0;
    case 'End':
      return lines.length - 1;
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
      return undefined;
  }
}
