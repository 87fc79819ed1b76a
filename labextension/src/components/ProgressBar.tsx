import * as React from 'react';

/** How far something is, from 0 to 1. */
export function ProgressBar({
  value,
  label,
  kind = 'accent'
}: {
  value: number;
  label: string;
  kind?: 'accent' | 'quiet' | 'warning';
}): React.JSX.Element {
  const per = Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div
      className={`jp-slurmdash-Progress jp-mod-${kind}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={per}
    >
      <div style={{ width: `${per}%` }} />
    </div>
  );
}
