import { infoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Button } from '../../components/Buttons';
import { ErrorNote, Note } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import type { TemplateEditorModel } from './model';

/** What the user should know about the file as a whole; quiet lines above the views. */
export function Bars({
  model,
  onRestore
}: {
  model: TemplateEditorModel;
  onRestore: (id: string) => void;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <>
      {model.error ? (
        <ErrorNote
          error={model.error}
          onRetry={() => void (model.text ? model.check() : model.load())}
        />
      ) : null}
      {model.theirs && !model.merging && (
        <Note kind="warning" icon={infoIcon}>
          <span>
            {trans.__('The template was changed on the disk. Yours is kept.')}
          </span>
          <Button
            small
            data-testid="slurmdash-editor-merge"
            onClick={() => model.setMerging(true)}
          >
            {trans.__('Merge')}
          </Button>
        </Note>
      )}
      {model.source === 'archived' && model.id && (
        <Note kind="warning" icon={infoIcon}>
          <span>{trans.__('The template is in your archive.')}</span>
          <Button small onClick={() => onRestore(model.id!)}>
            {trans.__('Restore')}
          </Button>
        </Note>
      )}
      {model.gone && (
        <Note kind="warning" icon={infoIcon}>
          {trans.__(
            'The template is no longer on its shelf. Saving makes it anew.'
          )}
        </Note>
      )}
      {model.recovered && model.dirty && model.base && (
        <Note>
          <span data-testid="slurmdash-editor-recovered">
            {trans.__('These are your unsaved changes of before.')}
          </span>
          <button
            type="button"
            className="jp-slurmdash-Link"
            onClick={() => void model.discard()}
          >
            {trans.__('Back to the saved text')}
          </button>
        </Note>
      )}
    </>
  );
}
