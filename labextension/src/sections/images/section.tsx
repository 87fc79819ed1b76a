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
    this.addClass('jp-slurmdash-Images');
    this.title.label = this.trans.__('Images');
  }

  protected override view(): React.JSX.Element {
    const { model, recent, onUse, onDraft } = this._options;
    return (
      <ImagesView
        model={model}
        recent={recent}
        onUse={onUse}
        onDraft={onDraft}
      />
    );
  }

  private readonly _options: ImagesSection.IOptions;
}

export namespace ImagesSection {
  export interface IOptions extends ISectionOptions {
    model: ImagesModel;
    /** Ids of the images used lately, the latest first. */
    recent: () => ReadonlyArray<string>;
    /** Take an image into the new job. */
    onUse: (id: string) => void;
    /** Make a template of an image. */
    onDraft: (id: string) => void;
  }
}
