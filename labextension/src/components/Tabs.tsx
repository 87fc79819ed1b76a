import * as React from 'react';

interface ITab {
  id: string;
  label: string;
  content: () => React.ReactNode;
}

/** Views of which one is shown (WAI-ARIA tabs: arrow keys move). */
export function Tabs({
  label,
  tabs,
  value,
  onChange
}: {
  label: string;
  tabs: ReadonlyArray<ITab>;
  value: string;
  onChange: (id: string) => void;
}): React.JSX.Element {
  const base = React.useId();
  const shown = tabs.find(tab => tab.id === value) ?? tabs[0];
  const onKeyDown = (event: React.KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const at = (tabs.indexOf(shown) + step + tabs.length) % tabs.length;
      onChange(tabs[at].id);
      event.currentTarget
        .querySelectorAll<HTMLElement>('[role="tab"]')
        [at]?.focus();
    }
  };
  return (
    <div className="jp-slurmdash-Tabs">
      <div
        role="tablist"
        aria-label={label}
        className="jp-slurmdash-Tabs-list"
        onKeyDown={onKeyDown}
      >
        {tabs.map(tab => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${base}-${tab.id}`}
            aria-selected={tab === shown}
            aria-controls={`${base}-panel`}
            tabIndex={tab === shown ? 0 : -1}
            data-testid={`slurmdash-tab-${tab.id}`}
            onClick={() => onChange(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id={`${base}-panel`}
        aria-labelledby={`${base}-${shown.id}`}
        className="jp-slurmdash-Tabs-panel"
      >
        {shown.content()}
      </div>
    </div>
  );
}
