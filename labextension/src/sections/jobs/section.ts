import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { loadText } from '../../text';
import type { ISectionOptions } from '../../types';
import { JobsView } from './view';

/** The "Jobs" section of the side panel. */
export class JobsSection extends ReactWidget {
  constructor(options: ISectionOptions) {
    super();
    this._trans = loadText(options.translator);
    this.id = 'jp-slurmdash-jobs';
    this.title.label = this._trans.__('Jobs');
    this.addClass('jp-slurmdash-Section');
  }

  protected override render(): React.JSX.Element {
    return React.createElement(JobsView, { trans: this._trans });
  }

  private readonly _trans: TranslationBundle;
}
