import * as React from 'react';

import { ReactSection } from '../../components/ReactSection';
import type { ISectionOptions } from '../../types';
import type { TemplatesModel } from './model';
import { TemplatesView } from './view';

/** The "Templates" section of the side panel. */
export class TemplatesSection extends ReactSection {
  constructor(options: TemplatesSection.IOptions) {
    super(options);
    this._options = options;
    this.id = 'jp-slurmdash-templates';
    this.title.label = this.trans.__('Templates');
  }

  protected override view(): React.JSX.Element {
    const { model, onUse } = this._options;
    return <TemplatesView model={model} onUse={onUse} />;
  }

  private readonly _options: TemplatesSection.IOptions;
}

export namespace TemplatesSection {
  export interface IOptions extends ISectionOptions {
    model: TemplatesModel;
    /** Take a template into the new job. */
    onUse: (id: string) => void;
  }
}
