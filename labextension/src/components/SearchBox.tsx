import { searchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** A box that narrows a list; Escape empties it. */
export function SearchBox({
  label,
  value,
  onChange,
  testId
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  testId?: string;
}): React.JSX.Element {
  return (
    <div className="jp-slurmdash-Search">
      <searchIcon.react
        tag="span"
        className="jp-slurmdash-Icon"
        aria-hidden="true"
      />
      <input
        type="text"
        role="searchbox"
        className="jp-slurmdash-Input"
        aria-label={label}
        placeholder={label}
        autoComplete="off"
        spellCheck={false}
        data-testid={testId}
        value={value}
        onChange={event => onChange(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape' && value) {
            event.stopPropagation();
            onChange('');
          }
        }}
      />
    </div>
  );
}
