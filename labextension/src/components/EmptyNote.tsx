import * as React from 'react';

/** What a section says while there is nothing in it. */
export function EmptyNote({
  children
}: React.PropsWithChildren): React.JSX.Element {
  return <p className="jp-slurmdash-EmptyNote">{children}</p>;
}
