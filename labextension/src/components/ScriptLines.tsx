import * as React from 'react';

import { ShellLine, useFresh } from './ScriptText';
import { useTrans } from './trans';

/** Where a line of a script comes from. */
export interface IOrigin {
  /** JSON Pointer of the field that made it; empty when none did. */
  pointer: string;
  /** The field's name, or what else there is to say. */
  words: string;
  /** Written by the user. */
  byHand: boolean;
}

interface IScriptLinesProps {
  script: string;
  label: string;
  testId: string;
  /** Of each line, as far as is known. */
  origins: ReadonlyArray<IOrigin>;
  /** Lines of this field are marked. */
  lit: string | null;
  /** It is the script of a moment ago. */
  stale?: boolean;
  /** A line is pointed at, or none any more. */
  onPoint: (pointer: string | null) => void;
  /** Go to the field that made a line. */
  onGo: (pointer: string) => void;
}

/** A script whose lines tell which field made them; a listbox, so that arrows go from line to line. */
export function ScriptLines({
  script,
  label,
  testId,
  origins,
  lit,
  stale = false,
  onPoint,
  onGo
}: IScriptLinesProps): React.JSX.Element {
  const trans = useTrans();
  const id = React.useId();
  const box = React.useRef<HTMLDivElement>(null);
  const lines = React.useMemo(
    () => script.replace(/\n$/, '').split('\n'),
    [script]
  );
  const fresh = useFresh(lines);
  const [active, setActive] = React.useState(-1);
  // What a click chose counts before the focus that it brings.
  const chosen = React.useRef(-1);
  const [hovered, setHovered] = React.useState(-1);
  const current = Math.min(active, lines.length - 1);
  const shown = hovered >= 0 ? hovered : current;
  const origin = origins[shown];

  const point = (line: number) => onPoint(origins[line]?.pointer || null);
  const move = (line: number) => {
    const next = Math.max(0, Math.min(lines.length - 1, line));
    chosen.current = next;
    setActive(next);
    point(next);
    reveal(box.current, next);
  };
  const firstLit = lit
    ? origins.findIndex(({ pointer }) => isOf(pointer, lit))
    : -1;
  React.useEffect(() => {
    if (firstLit >= 0) {
      reveal(box.current, firstLit);
    }
  }, [firstLit]);

  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = STEPS[event.key];
    const target = origins[current]?.pointer;
    if (step !== undefined) {
      event.preventDefault();
      move(current + step);
    } else if (event.key === 'Enter' && target) {
      event.preventDefault();
      onGo(target);
    }
  };
  return (
    <>
      <div
        ref={box}
        className={`jp-slurmdash-Script jp-mod-lines ${stale ? 'jp-mod-stale' : ''}`}
        role="listbox"
        tabIndex={0}
        aria-label={label}
        aria-activedescendant={current >= 0 ? `${id}-${current}` : undefined}
        data-testid={testId}
        onKeyDown={onKeyDown}
        onFocus={() => move(chosen.current)}
        onBlur={() => onPoint(null)}
        onMouseLeave={() => {
          setHovered(-1);
          onPoint(null);
        }}
      >
        {lines.map((line, index) => {
          const from = origins[index];
          const marks = [
            fresh?.[index] && line ? 'jp-mod-changed' : '',
            from?.byHand ? 'jp-mod-hand' : '',
            lit && from && isOf(from.pointer, lit) ? 'jp-mod-lit' : '',
            index === shown ? 'jp-mod-active' : ''
          ];
          return (
            <div
              // A changed line is another element, so that its glow begins anew.
              key={`${index}:${line}`}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === current}
              aria-label={[line || trans.__('empty line'), from?.words]
                .filter(Boolean)
                .join(' — ')}
              data-origin={from?.pointer || undefined}
              className={marks.filter(Boolean).join(' ') || undefined}
              onMouseEnter={() => {
                setHovered(index);
                point(index);
              }}
              onMouseDown={() => move(index)}
              onDoubleClick={() => from?.pointer && onGo(from.pointer)}
            >
              <ShellLine line={line} />
              {'\n'}
            </div>
          );
        })}
      </div>
      {/* Those who do not see it hear it with the line itself. */}
      <div className="jp-slurmdash-Script-origin" aria-hidden="true">
        {shown < 0
          ? trans.__('Point at a line to see the field that made it.')
          : trans.__(
              'Line %1: %2',
              shown + 1,
              origin?.words || trans.__('always there')
            )}
      </div>
    </>
  );
}

const STEPS: Record<string, number> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 10,
  PageUp: -10,
  Home: -1e6,
  End: 1e6
};

/** Is what is at `pointer` the field at `lit`, or a part of it? */
export function isOf(pointer: string, lit: string): boolean {
  return pointer === lit || pointer.startsWith(`${lit}/`);
}

/** Scroll the script itself, never the page: whoever fills in the form shall not lose the place. */
function reveal(box: HTMLElement | null, index: number): void {
  const line = box?.children[index] as HTMLElement | undefined;
  if (!box || !line) {
    return;
  }
  const top = line.offsetTop - box.offsetTop;
  if (top < box.scrollTop) {
    box.scrollTop = top;
  } else if (top + line.offsetHeight > box.scrollTop + box.clientHeight) {
    box.scrollTop = top + line.offsetHeight - box.clientHeight;
  }
}
