import { caretDownIcon, closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { IconButton } from './Buttons';
import { useTrans } from './trans';

/** What stands at the end of a combobox: takes the choice back where there is one, else opens the list. */
export function ComboboxEnd({
  label,
  clearable,
  input,
  onClear,
  onOpen
}: {
  /** The field's name. */
  label: string;
  clearable: boolean;
  input: React.RefObject<HTMLInputElement | null>;
  onClear: () => void;
  onOpen: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  return clearable ? (
    <IconButton
      icon={closeIcon}
      label={trans.__('Clear %1', label)}
      onClick={() => {
        onClear();
        input.current?.focus();
      }}
    />
  ) : (
    <span
      className="jp-slurmdash-Combobox-caret"
      aria-hidden="true"
      onMouseDown={event => {
        // The focus is for the box.
        event.preventDefault();
        input.current?.focus();
        onOpen();
      }}
    >
      <caretDownIcon.react tag="span" />
    </span>
  );
}

/**
 * Call `leave` when one clicks elsewhere or goes on with Tab.
 *
 * Not whenever the focus goes: a tab of JupyterLab that takes it by itself must not close what the user has just opened.
 */
export function useAway(
  box: React.RefObject<HTMLElement | null>,
  active: boolean,
  leave: () => void
): void {
  React.useEffect(() => {
    const own = box.current;
    if (!active || !own) {
      return;
    }
    let tabbing = false;
    const onKeyDown = (event: KeyboardEvent) => {
      tabbing = event.key === 'Tab';
    };
    const onPointerDown = (event: Event) => {
      if (!own.contains(event.target as Node)) {
        leave();
      }
    };
    const onFocusOut = ({ relatedTarget }: FocusEvent) => {
      if (tabbing && !own.contains(relatedTarget as Node | null)) {
        leave();
      }
      tabbing = false;
    };
    own.addEventListener('keydown', onKeyDown, true);
    own.addEventListener('focusout', onFocusOut);
    document.addEventListener('pointerdown', onPointerDown, true);
    return () => {
      own.removeEventListener('keydown', onKeyDown, true);
      own.removeEventListener('focusout', onFocusOut);
      document.removeEventListener('pointerdown', onPointerDown, true);
    };
  }, [box, active, leave]);
}

/** Bring what has just been opened into sight; the answer goes to its element. */
export function useInSight<T extends Element>(
  open: boolean
): React.RefObject<T> {
  const shown = React.useRef<T>(null);
  React.useEffect(() => {
    if (open) {
      shown.current?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [open]);
  return shown;
}
