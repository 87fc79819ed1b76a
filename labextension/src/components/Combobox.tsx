import * as React from 'react';

import type { IChoice } from '../types';
import { Badge } from './Badge';
import { ComboboxEnd, useAway, useInSight } from './comboparts';
import { Field, type IFieldFrame } from './Field';
import { useTrans } from './trans';

/** Rows drawn at once; typing finds the others. */
const SHOWN = 60;

interface IComboboxProps extends IFieldFrame {
  choices: ReadonlyArray<IChoice>;
  value: string | null;
  onChange: (id: string | null) => void;
  /** What stands in the box while nothing is chosen. */
  placeholder?: string;
  /** What the list says when nothing matches. */
  emptyText?: string;
  /** May the choice be taken back? */
  clearable?: boolean;
  /** While there is nothing to choose from, may it be any text? */
  free?: boolean;
  testId: string;
  /** Beginning of each option's `data-testid`. */
  optionTestId: string;
}

/** A searchable list of choices (WAI-ARIA combobox with a listbox). */
export function Combobox({
  choices,
  value,
  onChange,
  placeholder,
  emptyText,
  clearable = false,
  free: mayBeFree = false,
  testId,
  optionTestId,
  ...frame
}: IComboboxProps): React.JSX.Element {
  const trans = useTrans();
  const listId = React.useId();
  const [open, setOpen] = React.useState(false);
  const [typed, setTyped] = React.useState<string | null>(null);
  const [active, setActive] = React.useState(0);
  const input = React.useRef<HTMLInputElement>(null);
  const list = useInSight<HTMLUListElement>(open);
  const box = React.useRef<HTMLDivElement>(null);

  const free = mayBeFree && choices.length === 0;
  const chosen = choices.find(choice => choice.id === value) ?? null;
  const matches = React.useMemo(
    () => filterChoices(choices, typed ?? ''),
    [choices, typed]
  );
  const shown = matches.slice(0, SHOWN);
  const current = Math.min(active, shown.length - 1);

  React.useEffect(() => {
    if (open) {
      list.current
        ?.querySelector('[aria-selected="true"]')
        ?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [list, open, current]);

  const show = (at = -1) => {
    if (!open && !free) {
      setOpen(true);
      const start = at >= 0 ? at : matches.findIndex(({ id }) => id === value);
      setActive(Math.max(0, start));
    }
  };
  const hide = React.useCallback(() => {
    setOpen(false);
    setTyped(null);
  }, []);
  useAway(box, open, hide);
  const choose = (choice: IChoice | undefined) => {
    if (choice && !choice.problem) {
      onChange(choice.id);
      hide();
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (open) {
        setActive(Math.min(shown.length - 1, Math.max(0, current + step)));
      } else {
        show();
      }
    } else if (event.key === 'Enter' && open) {
      event.preventDefault();
      choose(shown[current]);
    } else if (event.key === 'Tab') {
      hide();
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      hide();
    }
  };

  return (
    <Field {...frame}>
      {control => (
        <div className="jp-slurmdash-Combobox" ref={box}>
          <input
            {...control}
            ref={input}
            type="text"
            role="combobox"
            className="jp-slurmdash-Input"
            aria-expanded={open}
            aria-controls={listId}
            aria-autocomplete="list"
            aria-activedescendant={
              open && shown[current] ? `${listId}-${current}` : undefined
            }
            autoComplete="off"
            spellCheck={false}
            data-testid={testId}
            value={(free ? null : typed) ?? chosen?.label ?? value ?? ''}
            placeholder={placeholder}
            onChange={event => {
              // Free text is the value itself; nothing is looked for with it.
              setTyped(free ? null : event.target.value);
              setOpen(!free);
              setActive(0);
              if (free) {
                onChange(event.target.value || null);
              }
            }}
            onClick={() => show()}
            onFocus={event => event.target.select()}
            onKeyDown={onKeyDown}
          />
          <ComboboxEnd
            label={frame.label}
            clearable={clearable && Boolean(value)}
            input={input}
            onClear={() => onChange(null)}
            onOpen={() => show()}
          />
          <ul
            ref={list}
            id={listId}
            role="listbox"
            aria-label={frame.label}
            className="jp-slurmdash-Combobox-list"
            hidden={!open}
            // The list must not take the focus from the box when it is clicked.
            onMouseDown={event => event.preventDefault()}
          >
            {open &&
              shown.map((choice, index) => (
                <Option
                  key={choice.id}
                  id={`${listId}-${index}`}
                  choice={choice}
                  selected={index === current}
                  testId={`${optionTestId}-${choice.id}`}
                  onChoose={() => choose(choice)}
                  onPoint={() => setActive(index)}
                />
              ))}
            {open && matches.length === 0 && (
              <li
                role="option"
                aria-selected="false"
                aria-disabled="true"
                className="jp-slurmdash-Combobox-more"
              >
                {typed
                  ? trans.__('Nothing matches “%1”.', typed)
                  : (emptyText ?? trans.__('There is nothing to choose yet.'))}
              </li>
            )}
            {open && matches.length > SHOWN && (
              <li
                role="option"
                aria-selected="false"
                aria-disabled="true"
                className="jp-slurmdash-Combobox-more"
              >
                {trans._n(
                  '%1 more; type to find it.',
                  '%1 more; type to find them.',
                  matches.length - SHOWN
                )}
              </li>
            )}
          </ul>
        </div>
      )}
    </Field>
  );
}

const STEPS: Record<string, number> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 8,
  PageUp: -8
};

function Option({
  id,
  choice,
  selected,
  testId,
  onChoose,
  onPoint
}: {
  id: string;
  choice: IChoice;
  selected: boolean;
  testId: string;
  onChoose: () => void;
  onPoint: () => void;
}): React.JSX.Element {
  return (
    <li
      id={id}
      role="option"
      aria-selected={selected}
      aria-disabled={choice.problem ? true : undefined}
      data-testid={testId}
      className="jp-slurmdash-Option"
      onClick={onChoose}
      onMouseMove={selected ? undefined : onPoint}
    >
      <span className="jp-slurmdash-Option-head">
        <span className="jp-slurmdash-Option-label">{choice.label}</span>
        {choice.badges?.map(badge => (
          <Badge key={badge}>{badge}</Badge>
        ))}
      </span>
      {(choice.problem || choice.detail) && (
        <span
          className={`jp-slurmdash-Option-detail ${choice.problem ? 'jp-mod-error' : ''}`}
        >
          {choice.problem ?? choice.detail}
        </span>
      )}
    </li>
  );
}

/** The choices that hold every word; those whose label begins with it come first. */
export function filterChoices(
  choices: ReadonlyArray<IChoice>,
  typed: string
): ReadonlyArray<IChoice> {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    return choices;
  }
  const found = choices.filter(({ label, detail, keywords, id }) => {
    const text =
      `${label} ${detail ?? ''} ${keywords ?? ''} ${id}`.toLowerCase();
    return words.every(word => text.includes(word));
  });
  const first = (choice: IChoice) =>
    choice.label.toLowerCase().startsWith(words[0]) ? 0 : 1;
  return [...found].sort((one, other) => first(one) - first(other));
}
