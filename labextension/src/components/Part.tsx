import * as React from 'react';

/** A heading and what belongs to it. */
export function Part({
  title,
  side,
  children
}: React.PropsWithChildren<{
  title: string;
  side?: React.ReactNode;
}>): React.JSX.Element {
  const id = React.useId();
  return (
    <section className="jp-slurmdash-Part" aria-labelledby={id}>
      <div className="jp-slurmdash-Part-head">
        <h3 id={id}>{title}</h3>
        {side}
      </div>
      {children}
    </section>
  );
}
