import * as React from 'react';

import { useHeldFocus } from './heldfocus';
import { useSight } from './sight';
import {
  foldKey,
  inSight,
  targetOf,
  topsOf,
  type ITreeLine
} from './treelines';

/** Pixels drawn before the height is known (and where there is none, as in a test). */
const UNMEASURED = 400;

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
  const [sight, measure] = useSight(box, 1, UNMEASURED);
  const [active, setActive] = useActive(lines);
  const tops = topsOf(lines);
  const focus = useGridFocus(box);

  const go = (index: number) => {
    const to = Math.max(0, Math.min(lines.length - 1, index));
    const seen = box.current!;
    seen.scrollTop = Math.max(
      Math.min(seen.scrollTop, tops[to]),
      tops[to + 1] - seen.clientHeight
    );
    focus.take();
    setActive(lines[to].key);
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
    const to = targetOf(event.key, lines, active, tops, sight);
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
      // Of its lines one can be focused, where there is any.
      tabIndex={lines.length ? undefined : -1}
      className="jp-slurmdash-TreeGrid"
      data-testid={testId}
      {...focus.heard}
      onScroll={measure}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={{ height: tops[lines.length] }}>
        {inSight(lines.length, tops, sight, active).map(index => {
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
              onFocus={() => setActive(line.key)}
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

/** The line that the keys are at, the first to begin with; when it goes, the one that stands there then. */
function useActive(
  lines: ReadonlyArray<ITreeLine>
): [number, (key: string) => void] {
  const [key, setKey] = React.useState<string | null>(null);
  const last = React.useRef(0);
  const found = lines.findIndex(line => line.key === key);
  const active =
    found < 0 ? Math.max(0, Math.min(last.current, lines.length - 1)) : found;
  React.useLayoutEffect(() => {
    last.current = active;
  });
  return [active, setKey];
}

/** The focus of a grid: `take` gives it to the active line when that is drawn next, `heard` is for the grid's element. */
function useGridFocus(box: React.RefObject<HTMLElement | null>) {
  const wanted = React.useRef(false);
  const active = () =>
    box.current!.querySelector<HTMLElement>('[role="row"][tabindex="0"]') ??
    box.current;
  React.useLayoutEffect(() => {
    if (wanted.current) {
      wanted.current = false;
      active()?.focus({ preventScroll: true });
    }
  });
  return {
    take: () => {
      wanted.current = true;
    },
    heard: useHeldFocus(box, active)
  };
}
