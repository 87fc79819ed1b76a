import * as React from 'react';

import { Note } from '../../components/Notes';
import { ReactSection } from '../../components/ReactSection';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import type { ISectionOptions } from '../../types';
import type { DropModel } from './drop';
import { FilesField } from './filesview';

/** The panel's field for files in a notebook's output. */
export class FileDropSection extends ReactSection {
  constructor(options: FileDropSection.IOptions) {
    super(options);
    this._options = options;
    this.addClass('jp-slurmdash-Widget');
    this.addClass('jp-slurmdash-FileDrop');
  }

  protected override view(): React.JSX.Element {
    return <DropView {...this._options} />;
  }

  private readonly _options: FileDropSection.IOptions;
}

export namespace FileDropSection {
  export interface IOptions extends ISectionOptions {
    model: DropModel;
    /** What the files are for; a name for who cannot see the field. */
    description: string;
  }
}

function DropView({
  model,
  description
}: FileDropSection.IOptions): React.JSX.Element {
  useModel(model);
  const trans = useTrans();
  return (
    <div
      role="group"
      aria-label={description || trans.__('Files')}
      aria-busy={model.opening}
      data-testid="slurmdash-file-drop"
    >
      {model.astray && (
        <Note>
          {trans.__(
            'The server does not know the session of this notebook. What you drop here goes into a new one; to use it, let the kernel connect() with the server’s settings.'
          )}
        </Note>
      )}
      {model.opening ? null : <FilesField model={model} />}
    </div>
  );
}
