import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { ReactSection } from '../../components/ReactSection';
import { slurmIcon } from '../../icons';
import type { ISectionOptions } from '../../types';
import type { JobModel } from './jobmodel';
import { JobView } from './jobview';

/** One job as a tab of the main area. */
export class JobWidget extends ReactSection {
  constructor(options: JobWidget.IOptions) {
    super(options);
    this.model = options.model;
    this._onDownload = options.onDownload;
    this._onTemplate = options.onTemplate;
    this.id = `slurmdash-job-${this.model.id}`;
    this.title.icon = slurmIcon;
    this.title.closable = true;
    this.addClass('jp-slurmdash-JobWidget');
    this.model.changed.connect(this._updateTitle, this);
    this._updateTitle();
  }

  readonly model: JobModel;

  override dispose(): void {
    if (!this.isDisposed) {
      this.model.dispose();
      super.dispose();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.model.follow(true);
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this.model.follow(this.isVisible);
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this.model.follow(false);
  }

  protected override view(): React.JSX.Element {
    return (
      <JobView
        model={this.model}
        onDownload={this._onDownload}
        onTemplate={this._onTemplate}
      />
    );
  }

  private _updateTitle(): void {
    const name = this.model.row?.job.name ?? this.model.id;
    this.title.label = name;
    this.title.caption = this.trans.__('Slurm job %1', this.model.id);
  }

  private readonly _onDownload: (path: string) => Promise<void>;
  private readonly _onTemplate: () => void;
}

export namespace JobWidget {
  export interface IOptions extends ISectionOptions {
    model: JobModel;
    /** Save one of the job's files on this computer. */
    onDownload: (path: string) => Promise<void>;
    /** Make a template of the job. */
    onTemplate: () => void;
  }
}
