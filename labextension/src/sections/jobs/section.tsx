import * as React from 'react';

import { ReactSection } from '../../components/ReactSection';
import type { ISectionOptions } from '../../types';
import type { JobsModel } from './model';
import { JobsView } from './view';

/** The "Jobs" section of the side panel. */
export class JobsSection extends ReactSection {
  constructor(options: JobsSection.IOptions) {
    super(options);
    this._options = options;
    this.id = 'jp-slurmdash-jobs';
    options.model.changed.connect(this._updateTitle, this);
    this._updateTitle();
  }

  protected override view(): React.JSX.Element {
    const { model, onOpen, onExample } = this._options;
    return <JobsView model={model} onOpen={onOpen} onExample={onExample} />;
  }

  /** The heading tells what goes on while the section is folded. */
  private _updateTitle(): void {
    const { active } = this._options.model;
    const running = active.filter(({ job }) => job.state === 'RUNNING').length;
    const counts = [
      running ? this.trans.__('%1 running', running) : '',
      active.length > running
        ? this.trans.__('%1 waiting', active.length - running)
        : ''
    ].filter(Boolean);
    this.title.label = counts.length
      ? `${this.trans.__('Jobs')} · ${counts.join(', ')}`
      : this.trans.__('Jobs');
  }

  private readonly _options: JobsSection.IOptions;
}

export namespace JobsSection {
  export interface IOptions extends ISectionOptions {
    model: JobsModel;
    /** Show a job. */
    onOpen: (id: string) => void;
    /** Fill the form with the example. */
    onExample: () => void;
  }
}
