import * as React from 'react';

import { useSight, withActive, type ISight } from './sight';

/** Rows drawn beyond each edge, so that a quick wheel does not show a gap. */
const SPARE = 4;

/** Rows drawn before the height is known (and where there is none, as in a test). */
const UNMEASURED = 12;

interface IVirtualListProps {
  /** The listbox's id; the options' are made from it (`optionId`). */
  id: string;
  label: string;
  count: number;
  /** Pixels; every row has the same. */
  rowHeight: number;
  /** The option that the keys are at. */
  active: number;
  keyOf: (index: number) => string;
  row: (index: number) => React.ReactNode;
  isDisabled?: (index: number) => boolean;
  /** May the list itself take the focus, or only a box beside it? */
  focusable?: boolean;
  onChoose: (index: number) => void;
  /** The pointer is over this row; -1: over none. */
  onPoint?: (index: number) => void;
  onKeyDown?: (event: React.KeyboardEvent) => void;
  testId?: string;
  /** Beginning of each option's `data-testid`; the key follows. */
  optionTestId: string;
}

/** The id of an option, for `aria-activedescendant`. */
export function optionId(listId: string, index: number): string {
  return `${listId}-${index}`;
}

/** A WAI-ARIA listbox of any length, of which only what is in sight is drawn. */
export function VirtualList({
  id,
  label,
  count,
  rowHeight,
  active,
  keyOf,
  row,
  isDisabled,
  focusable = false,
  onChoose,
  onPoint,
  onKeyDown,
  testId,
  optionTestId
}: IVirtualListProps): React.JSX.Element {
  const box = React.useRef<HTMLDivElement>(null);
  const [sight, measure] = useSight(box, rowHeight, UNMEASURED);

  // Also when the list becomes another: then the same place may be out of sight.
  React.useLayoutEffect(() => {
    const seen = box.current!;
    const top = active * rowHeight;
    if (active < 0 || !seen.clientHeight) {
      return;
    }
    if (top < seen.scrollTop) {
      seen.scrollTop = top;
    } else if (top + rowHeight > seen.scrollTop + seen.clientHeight) {
      seen.scrollTop = top + rowHeight - seen.clientHeight;
    }
    measure();
  }, [active, count, rowHeight, measure]);

  return (
    <div
      ref={box}
      id={id}
      role="listbox"
      aria-label={label}
      aria-activedescendant={
        focusable && active >= 0 ? optionId(id, active) : undefined
      }
      tabIndex={focusable ? 0 : -1}
      style={
        {
          '--slurmdash-list-height': `${count * rowHeight}px`
        } as React.CSSProperties
      }
      className="jp-slurmdash-VirtualList"
      data-testid={testId}
      onScroll={measure}
      onKeyDown={onKeyDown}
      onMouseLeave={() => onPoint?.(-1)}
      // A box beside the list keeps the focus.
      onMouseDown={focusable ? undefined : event => event.preventDefault()}
    >
      <div role="presentation" style={{ height: count * rowHeight }}>
        {drawn(sight, active, count).map(index => (
          <div
            key={keyOf(index)}
            id={optionId(id, index)}
            role="option"
            aria-selected={index === active}
            aria-disabled={isDisabled?.(index) || undefined}
            aria-setsize={count}
            aria-posinset={index + 1}
            className="jp-slurmdash-VirtualList-option"
            style={{ top: index * rowHeight, height: rowHeight }}
            data-testid={`${optionTestId}-${keyOf(index)}`}
            onClick={() => onChoose(index)}
            onMouseEnter={() => onPoint?.(index)}
          >
            {row(index)}
          </div>
        ))}
      </div>
    </div>
  );
}

/** The rows in sight with some to spare, and the active one wherever it is: a screen reader looks for it. */
export function drawn(
  { first, last }: ISight,
  active: number,
  count: number
): number[] {
  const from = Math.max(0, Math.min(first, count - 1) - SPARE);
  const to = Math.min(count, last + SPARE);
  return withActive({ first: from, last: to }, active, count);
}
