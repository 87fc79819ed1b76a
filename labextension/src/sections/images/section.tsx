import * as React from 'react';

import { ReactSection } from '../../components/ReactSection';
import type { ISectionOptions } from '../../types';
import type { ImagesModel } from './model';
import { ImagesView } from './view';

/** The "Images" section of the side panel. */
export class ImagesSection extends ReactSection {
  constructor(options: ImagesSection.IOptions) {
    super(options);
    this._options = options;
    this.id = 'jp-slurmdash-images';
    this.title.label = this.trans.__('Images');
  }

  protected override view(): React.JSX.Element {
    const { model, onUse } = this._options;
    return <ImagesView model={model} onUse={onUse} />;
  }

  private readonly _options: ImagesSection.IOptions;
}

export namespace ImagesSection {
  export interface IOptions extends ISectionOptions {
    model: ImagesModel;
    /** Take an image into the new job. */
    onUse: (id: string) => void;
  }
}
