import { closeIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { IconButton } from '../../components/Buttons';
import { ErrorNote, Note } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import type { INotice, TemplateActions } from './actions';

/** What was just done with a template, and the way back. */
export function DoneNote({
  actions,
  onEdit
}: {
  actions: TemplateActions;
  onEdit: (id: string) => void;
}): React.JSX.Element | null {
  const trans = useTrans();
  const { notice, error } = actions;
  if (error) {
    return <ErrorNote error={error} />;
  }
  if (!notice) {
    return null;
  }
  return (
    <Note>
      <span data-testid="slurmdash-template-notice">{said(trans, notice)}</span>
      <span className="jp-slurmdash-Note-acts">
        {notice.undo && (
          <button
            type="button"
            className="jp-slurmdash-Link"
            data-testid="slurmdash-template-undo"
            onClick={() => void actions.undo()}
          >
            {trans.__('Undo')}
          </button>
        )}
        {notice.kind !== 'archived' && (
          <button
            type="button"
            className="jp-slurmdash-Link"
            onClick={() => onEdit(notice.id)}
          >
            {trans.__('Edit')}
          </button>
        )}
        <IconButton
          icon={closeIcon}
          label={trans.__('Dismiss')}
          onClick={() => actions.dismiss()}
        />
      </span>
    </Note>
  );
}

function said(trans: TranslationBundle, { kind, name }: INotice): string {
  switch (kind) {
    case 'cloned':
      return trans.__('“%1” is on your own shelf.', name);
    case 'shared':
      return trans.__('“%1” is shared: everybody can use it.', name);
    case 'unshared':
      return trans.__('“%1” is yours alone again.', name);
    case 'archived':
      return trans.__('“%1” is in your archive.', name);
    case 'restored':
      return trans.__('“%1” is back on your shelf.', name);
    case 'imported':
      return trans.__('“%1” was imported to your shelf.', name);
  }
}
