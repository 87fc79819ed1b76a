import { infoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Button } from '../../components/Buttons';
import { ErrorNote, Note } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import { lineOf } from './locate';
import type { TemplateEditorModel } from './model';

/** What the user should know about the file as a whole; quiet lines above the views. */
export function Bars({
  model,
  goTo,
  onRestore
}: {
  model: TemplateEditorModel;
  /** Show a line of the YAML. */
  goTo: (line: number) => void;
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
      {model.notes.length > 0 && <Notes model={model} goTo={goTo} />}
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

/** What of a draft a human must look at, each with a way to its place. */
function Notes({
  model,
  goTo
}: {
  model: TemplateEditorModel;
  goTo: (line: number) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { notes } = model;
  return (
    <Note kind="warning" icon={infoIcon}>
      <div
        className="jp-slurmdash-DraftNotes"
        data-testid="slurmdash-editor-notes"
      >
        <b>{trans.__('Look at this before you save')}</b>
        <ul tabIndex={0} aria-label={trans.__('What needs a look')}>
          {notes.map(({ message, line, pointer }, at) => (
            <li key={at}>
              {line > 0 && <b>{trans.__('Script, line %1:', line)} </b>}
              {message}{' '}
              {pointer && (
                <button
                  type="button"
                  className="jp-slurmdash-Link"
                  aria-label={trans.__('Show the place of: %1', message)}
                  onClick={() => goTo(lineOf(model.text, pointer))}
                >
                  {trans.__('Show')}
                </button>
              )}
            </li>
          ))}
        </ul>
        <Button
          small
          data-testid="slurmdash-editor-notes-done"
          onClick={() => model.dismissNotes()}
        >
          {trans.__('I have looked')}
        </Button>
      </div>
    </Note>
  );
}
