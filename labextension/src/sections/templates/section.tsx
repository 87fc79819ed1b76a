import * as React from 'react';

import { ReactSection } from '../../components/ReactSection';
import type { ISectionOptions } from '../../types';
import type { TemplateActions } from './actions';
import type { TemplatesModel } from './model';
import { TemplatesView } from './view';

/** The "Templates" section of the side panel: the library. A YAML file that is dropped on it is imported, a script
 * becomes a template. */
export class TemplatesSection extends ReactSection {
  constructor(options: TemplatesSection.IOptions) {
    super(options);
    this._options = options;
    this.id = 'jp-slurmdash-templates';
    this.addClass('jp-slurmdash-Templates');
    this.title.label = this.trans.__('Templates');
  }

  protected override view(): React.JSX.Element {
    return <TemplatesView {...this._options} />;
  }

  private readonly _options: TemplatesSection.IOptions;
}

export namespace TemplatesSection {
  export interface ICallbacks {
    /** Take a template into the new job. */
    onUse: (id: string) => void;
    onEdit: (id: string) => void;
    onNew: () => void;
    /** A text that was dropped; without one, ask for a file. */
    onImport: (text?: string) => void;
    /** A batch script that is to become a template; without a text, ask for it. */
    onScript: (text?: string, name?: string) => void;
    /** What can be done with a template, at a place of the page. */
    onMenu: (id: string, x: number, y: number) => void;
  }
  export interface IOptions extends ISectionOptions, ICallbacks {
    model: TemplatesModel;
    actions: TemplateActions;
  }
}
