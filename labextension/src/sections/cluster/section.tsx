import * as React from 'react';

import { ReactSection } from '../../components/ReactSection';
import type { ISectionOptions } from '../../types';
import type { ClusterModel } from './model';
import { ClusterLine } from './view';

/** The line above the sections. */
export class ClusterHeader extends ReactSection {
  constructor(options: ISectionOptions & { model: ClusterModel }) {
    super(options);
    this._model = options.model;
    this.removeClass('jp-slurmdash-Section');
    this.addClass('jp-slurmdash-Header');
  }

  protected override view(): React.JSX.Element {
    return <ClusterLine model={this._model} />;
  }

  private readonly _model: ClusterModel;
}
