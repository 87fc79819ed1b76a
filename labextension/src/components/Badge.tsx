import * as React from 'react';

/** A short word that marks something. */
export function Badge({
  children,
  title,
  kind = 'quiet'
}: React.PropsWithChildren<{
  title?: string;
  kind?: 'quiet' | 'accent' | 'warning';
}>): React.JSX.Element {
  return (
    <span className={`jp-slurmdash-Badge jp-mod-${kind}`} title={title}>
      {children}
    </span>
  );
}
