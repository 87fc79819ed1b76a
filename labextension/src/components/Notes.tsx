import { errorIcon, infoIcon, type LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { describe } from '../text';
import { useTrans } from './trans';

/** What a section says while there is nothing in it. */
export function EmptyNote({
  children
}: React.PropsWithChildren): React.JSX.Element {
  return <div className="jp-slurmdash-EmptyNote">{children}</div>;
}

/** What went wrong, and a way on. */
export function ErrorNote({
  error,
  onRetry
}: {
  error: unknown;
  onRetry?: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <Note icon={errorIcon} kind="error">
      <span>{describe(trans, error)}</span>
      {onRetry && (
        <button
          type="button"
          className="jp-slurmdash-Link"
          onClick={() => onRetry()}
        >
          {trans.__('Try again')}
        </button>
      )}
    </Note>
  );
}

/** A line that is told to screen readers too when it comes up. */
export function Note({
  icon = infoIcon,
  kind = 'info',
  children
}: React.PropsWithChildren<{
  icon?: LabIcon;
  kind?: 'info' | 'warning' | 'error';
}>): React.JSX.Element {
  return (
    <div
      className={`jp-slurmdash-Note jp-mod-${kind}`}
      role={kind === 'error' ? 'alert' : 'status'}
    >
      <icon.react tag="span" className="jp-slurmdash-Icon" aria-hidden="true" />
      <div className="jp-slurmdash-Note-text">{children}</div>
    </div>
  );
}
