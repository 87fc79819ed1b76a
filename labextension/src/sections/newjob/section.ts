import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { loadText } from '../../text';
import type { ISectionOptions } from '../../types';
import { NewJobView } from './view';

/** The "New job" section of the side panel. */
export class NewJobSection extends ReactWidget {
  constructor(options: ISectionOptions) {
    super();
    this._trans = loadText(options.translator);
    this.id = 'jp-slurmdash-newjob';
    this.title.label = this._trans.__('New job');
    this.addClass('jp-slurmdash-Section');
  }

  protected override render(): React.JSX.Element {
    return React.createElement(NewJobView, { trans: this._trans });
  }

  private readonly _trans: TranslationBundle;
}
