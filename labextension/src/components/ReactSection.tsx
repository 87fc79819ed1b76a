import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { loadText } from '../text';
import type { ISectionOptions } from '../types';
import { TransContext, useTrans } from './trans';

/** A Lumino widget around a React view: gives it the user's language and catches its faults. */
export abstract class ReactSection extends ReactWidget {
  constructor(options: ISectionOptions) {
    super();
    this.trans = loadText(options.translator);
    this.addClass('jp-slurmdash-Section');
  }

  protected readonly trans: TranslationBundle;

  protected abstract view(): React.JSX.Element;

  protected override render(): React.JSX.Element {
    return (
      <TransContext.Provider value={this.trans}>
        <FaultBoundary>{this.view()}</FaultBoundary>
      </TransContext.Provider>
    );
  }
}

/** A fault in one section is shown there and takes no other with it. */
export class FaultBoundary extends React.Component<
  React.PropsWithChildren,
  { fault: string | null }
> {
  override state: { fault: string | null } = { fault: null };

  static getDerivedStateFromError(error: unknown): { fault: string } {
    return { fault: error instanceof Error ? error.message : String(error) };
  }

  override render(): React.ReactNode {
    return this.state.fault === null ? (
      this.props.children
    ) : (
      <FaultNote
        fault={this.state.fault}
        onRetry={() => this.setState({ fault: null })}
      />
    );
  }
}

function FaultNote({
  fault,
  onRetry
}: {
  fault: string;
  onRetry: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-slurmdash-Note jp-mod-error" role="alert">
      <p>{trans.__('This part of the panel failed: %1', fault)}</p>
      <button
        type="button"
        className="jp-slurmdash-Button jp-mod-small"
        onClick={onRetry}
      >
        {trans.__('Try again')}
      </button>
    </div>
  );
}
