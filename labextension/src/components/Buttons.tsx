import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

interface IButtonProps extends React.ButtonHTMLAttributes<HTMLButtonElement> {
  'data-testid'?: string;
}

/** A button that is an icon; `label` is its name for everyone who does not see it. */
export function IconButton({
  icon,
  label,
  className = '',
  ...rest
}: IButtonProps & { icon: LabIcon; label: string }): React.JSX.Element {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      className={`jp-slurmdash-IconButton ${className}`}
      {...rest}
    >
      <icon.react tag="span" className="jp-slurmdash-Icon" aria-hidden="true" />
    </button>
  );
}

/** A button with words. */
export function Button({
  accent = false,
  small = false,
  className = '',
  ...rest
}: IButtonProps & { accent?: boolean; small?: boolean }): React.JSX.Element {
  const mods = `${accent ? 'jp-mod-accent' : ''} ${small ? 'jp-mod-small' : ''}`;
  return (
    <button
      type="button"
      className={`jp-slurmdash-Button ${mods} ${className}`}
      {...rest}
    />
  );
}
