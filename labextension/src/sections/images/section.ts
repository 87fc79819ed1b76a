import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { loadText } from '../../text';
import type { ISectionOptions } from '../../types';
import { ImagesView } from './view';

/** The "Images" section of the side panel. */
export class ImagesSection extends ReactWidget {
  constructor(options: ISectionOptions) {
    super();
    this._trans = loadText(options.translator);
    this.id = 'jp-slurmdash-images';
    this.title.label = this._trans.__('Images');
    this.addClass('jp-slurmdash-Section');
  }

  protected override render(): React.JSX.Element {
    return React.createElement(ImagesView, { trans: this._trans });
  }

  private readonly _trans: TranslationBundle;
}
