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
    this.title.label = this.trans.__('Jobs');
  }

  protected override view(): React.JSX.Element {
    const { model, onOpen, onExample } = this._options;
    return <JobsView model={model} onOpen={onOpen} onExample={onExample} />;
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
