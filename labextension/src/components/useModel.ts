import * as React from 'react';

import type { Observable } from '../observable';

/** Draw again whenever the model changes. */
export function useModel(model: Observable): void {
  const subscribe = React.useCallback(
    (onChange: () => void) => {
      model.changed.connect(onChange);
      return () => {
        model.changed.disconnect(onChange);
      };
    },
    [model]
  );
  React.useSyncExternalStore(subscribe, () => model.version);
}

/** The time now in milliseconds, anew every `interval` milliseconds while `active`. */
export function useNow(active: boolean, interval = 1000): number {
  const [now, setNow] = React.useState(() => Date.now());
  React.useEffect(() => {
    if (!active) {
      return;
    }
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [active, interval]);
  return now;
}
