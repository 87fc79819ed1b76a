import * as React from 'react';

/**
 * Keeps the focus in `box` when what had it is taken away, by a line that was removed or a part that was closed: no blur
 * tells of that, and the focus would be nobody's. `heir` gets the nearest element around it that is still there.
 */
export function useHeldFocus(
  box: React.RefObject<HTMLElement | null>,
  heir: (near: HTMLElement) => HTMLElement | null
) {
  /** What has the focus, and what is around it up to the box; empty while it is elsewhere. */
  const held = React.useRef<HTMLElement[]>([]);
  React.useLayoutEffect(() => {
    const near = held.current.find(({ isConnected }) => isConnected);
    const now = document.activeElement;
    if (near && (now === document.body || now === box.current)) {
      heir(near)?.focus({ preventScroll: true });
    }
  });
  return {
    onFocus: ({ target }: React.FocusEvent<HTMLElement>) => {
      held.current = [];
      for (
        let at: HTMLElement | null = target;
        at && box.current!.contains(at);
        at = at.parentElement
      ) {
        held.current.push(at);
      }
    },
    onBlur: ({ relatedTarget }: React.FocusEvent<HTMLElement>) => {
      if (!box.current!.contains(relatedTarget)) {
        held.current = [];
      }
    }
  };
}
