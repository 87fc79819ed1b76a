import * as React from 'react';

import { Button } from '../../components/Buttons';
import { EmptyNote, ErrorNote, Note } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import { useModel, useNow } from '../../components/useModel';
import { formatAge, formatBytes, formatMoment } from '../../text';
import type { TemplateEditorModel } from './model';
import { readDiff } from './udiff';
import type { VersionsModel } from './versionsmodel';

/** What the template was before, and the way back. */
export function VersionsView({
  model,
  editor
}: {
  model: VersionsModel;
  editor: TemplateEditorModel;
}): React.JSX.Element {
  useModel(model);
  const trans = useTrans();
  const now = useNow(true, 30_000);
  const hash = editor.base?.hash;
  React.useEffect(() => void model.refresh(), [model, hash]);
  return (
    <div className="jp-slurmdash-Versions">
      {model.error ? (
        <ErrorNote error={model.error} onRetry={() => void model.refresh()} />
      ) : null}
      {model.restored && (
        <Note>
          <span data-testid="slurmdash-version-restored">
            {trans.__('The former version is back.')}
          </span>
          <button
            type="button"
            className="jp-slurmdash-Link"
            onClick={() => void model.undo()}
          >
            {trans.__('Undo')}
          </button>
        </Note>
      )}
      {model.loaded && !model.items.length && (
        <EmptyNote>
          {trans.__('There is no former version; each save keeps one.')}
        </EmptyNote>
      )}
      <ul className="jp-slurmdash-List" data-testid="slurmdash-versions">
        {model.items.map(item => {
          const open = model.shown?.version === item.version;
          return (
            <li key={item.version}>
              <button
                type="button"
                className="jp-slurmdash-Row"
                aria-expanded={open}
                data-testid={`slurmdash-version-${item.version}`}
                onClick={() => void model.show(item.version)}
              >
                <span className="jp-slurmdash-Row-head">
                  <span className="jp-slurmdash-Row-name">
                    {formatMoment(item.saved_at)}
                  </span>
                  <span className="jp-slurmdash-Row-side">
                    {formatAge(trans, Date.parse(item.saved_at), now)} ·{' '}
                    {formatBytes(item.size)}
                  </span>
                </span>
              </button>
              {open && model.shown && (
                <div className="jp-slurmdash-Version">
                  <div className="jp-slurmdash-Version-head">
                    <span className="jp-slurmdash-Quiet">
                      {trans.__('What was changed since')}
                    </span>
                    {editor.canEdit && (
                      <Button
                        small
                        disabled={model.busy}
                        data-testid="slurmdash-version-restore"
                        onClick={() => void model.restore(item.version)}
                      >
                        {trans.__('Restore this version')}
                      </Button>
                    )}
                  </div>
                  <Diff diff={model.shown.diff} />
                </div>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Diff({ diff }: { diff: string }): React.JSX.Element {
  const trans = useTrans();
  const lines = readDiff(diff);
  if (!lines.length) {
    return (
      <p className="jp-slurmdash-Quiet">
        {trans.__('It is the same as the text of now.')}
      </p>
    );
  }
  const marks = { add: '+', remove: '−', same: ' ', place: '' };
  return (
    <pre
      className="jp-slurmdash-Diff"
      tabIndex={0}
      role="region"
      aria-label={trans.__('What was changed since')}
      data-testid="slurmdash-diff"
    >
      {lines.map(({ kind, text }, at) => (
        <div key={at} className={`jp-mod-${kind}`}>
          <span className="jp-slurmdash-Diff-mark">{marks[kind]}</span>
          {text}
          {'\n'}
        </div>
      ))}
    </pre>
  );
}
