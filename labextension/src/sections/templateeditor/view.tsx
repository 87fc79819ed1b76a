import * as React from 'react';

import { Badge } from '../../components/Badge';
import { Button } from '../../components/Buttons';
import { ErrorNote } from '../../components/Notes';
import { ScriptText } from '../../components/ScriptText';
import { Tabs } from '../../components/Tabs';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import { Bars } from './bars';
import type { ICodeHandle } from '../../components/CodeHost';
import { FormView } from './formview';
import type { HealthModel } from './healthmodel';
import { HealthView } from './healthview';
import { MergeView } from './mergeview';
import type { TemplateEditorModel, View } from './model';
import { problemRows } from './problems';
import { VersionsView } from './versionsview';
import type { VersionsModel } from './versionsmodel';
import { YamlView } from './yamlview';

interface IEditorProps {
  model: TemplateEditorModel;
  versions: VersionsModel;
  health: HealthModel;
  onClone: (id: string) => void;
  onUse: (id: string) => void;
  onRestore: (id: string) => void;
}

/** A template: form, YAML or versions at the left; what is wrong, and the script, at the right. */
export function EditorView(props: IEditorProps): React.JSX.Element {
  const { model, versions } = props;
  useModel(model);
  const trans = useTrans();
  const code = React.useRef<ICodeHandle>(null);
  if (!model.loaded) {
    return <p className="jp-slurmdash-Quiet">{trans.__('Loading…')}</p>;
  }
  const goTo = (line: number, column?: number) => {
    void model
      .setView('yaml')
      .then(() =>
        requestAnimationFrame(() => code.current?.goTo(line, column))
      );
  };
  return (
    <div className="jp-slurmdash-Editor">
      <Head {...props} />
      <Bars model={model} goTo={goTo} onRestore={props.onRestore} />
      {model.merging && model.theirs ? (
        <MergeView model={model} key={model.theirs.hash} />
      ) : (
        <div className="jp-slurmdash-Editor-body">
          <Tabs
            label={trans.__('Views of the template')}
            value={model.view}
            onChange={view => void model.setView(view as View)}
            tabs={[
              {
                id: 'form',
                label: trans.__('Form'),
                content: () => <FormView model={model} onShowText={goTo} />
              },
              {
                id: 'yaml',
                label: trans.__('YAML'),
                content: () => <YamlView model={model} code={code} />
              },
              {
                id: 'versions',
                label: trans.__('Versions'),
                content: () => <VersionsView model={versions} editor={model} />
              }
            ]}
          />
          <aside
            className="jp-slurmdash-Editor-aside"
            aria-label={trans.__('Problems, health and script')}
          >
            <Problems model={model} goTo={goTo} />
            <HealthView model={props.health} editor={model} />
            <ScriptPreview model={model} />
          </aside>
        </div>
      )}
    </div>
  );
}

function Head({ model, onClone, onUse }: IEditorProps): React.JSX.Element {
  const trans = useTrans();
  const { id, dirty, saving, canEdit, problem } = model;
  const save = !canEdit
    ? trans.__('Only its owner can change it; clone it to make it yours.')
    : model.merging
      ? trans.__('Merge first.')
      : problem
        ? trans.__('Mend what is wrong first.')
        : dirty || !id
          ? ''
          : trans.__('Everything is saved.');
  return (
    <div className="jp-slurmdash-Editor-head">
      <h2>{model.title || trans.__('New template')}</h2>
      <Badge kind={dirty ? 'warning' : 'quiet'}>
        {saving
          ? trans.__('Saving…')
          : !canEdit
            ? trans.__('read only')
            : dirty || !id
              ? trans.__('not saved')
              : trans.__('saved')}
      </Badge>
      <span className="jp-slurmdash-Editor-acts">
        {id && (
          <Button
            data-testid="slurmdash-editor-use"
            disabled={Boolean(problem) || model.source === 'archived'}
            onClick={() => onUse(id)}
          >
            {trans.__('Use')}
          </Button>
        )}
        {id && (
          <Button
            data-testid="slurmdash-editor-clone"
            accent={!canEdit}
            onClick={() => onClone(id)}
          >
            {trans.__('Clone')}
          </Button>
        )}
        {canEdit && (
          <Button
            accent
            data-testid="slurmdash-editor-save"
            aria-disabled={Boolean(save) || saving}
            title={save || trans.__('Save (Ctrl S)')}
            onClick={() => {
              if (!save) {
                void model.save();
              }
            }}
          >
            {trans.__('Save')}
          </Button>
        )}
      </span>
    </div>
  );
}

function Problems({
  model,
  goTo
}: {
  model: TemplateEditorModel;
  goTo: (line: number, column?: number) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { problem, errors } = model;
  const rows = problemRows(model);
  return (
    <section className="jp-slurmdash-Part">
      <div className="jp-slurmdash-Part-head">
        <h3>{trans.__('Problems')}</h3>
      </div>
      {!problem && !errors.length ? (
        <p className="jp-slurmdash-Quiet" data-testid="slurmdash-no-problems">
          {model.checking ? trans.__('Checking…') : trans.__('✓ None.')}
        </p>
      ) : (
        <ul
          className="jp-slurmdash-Problems"
          data-testid="slurmdash-problems"
          aria-live="polite"
        >
          {rows.map(({ line, column, message }, at) => (
            <li key={at}>
              <button
                type="button"
                className="jp-slurmdash-Link"
                onClick={() => goTo(line, column)}
              >
                <b>
                  {column
                    ? trans.__('Line %1, column %2', line, column)
                    : trans.__('Line %1', line)}
                </b>{' '}
                {message}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function ScriptPreview({
  model
}: {
  model: TemplateEditorModel;
}): React.JSX.Element {
  const trans = useTrans();
  const { preview, previewError, dirty, id } = model;
  return (
    <section className="jp-slurmdash-Part">
      <div className="jp-slurmdash-Part-head">
        <h3>{trans.__('Script')}</h3>
        {preview && dirty && (
          <span className="jp-slurmdash-Quiet" role="status">
            {trans.__('of the saved version')}
          </span>
        )}
      </div>
      {previewError ? (
        <ErrorNote
          error={previewError}
          onRetry={() => void model.refreshPreview()}
        />
      ) : null}
      {preview?.script ? (
        <ScriptText
          script={preview.script}
          label={trans.__('Script of a job of this template')}
          testId="slurmdash-editor-script"
          stale={dirty}
        />
      ) : (
        !previewError && (
          <p className="jp-slurmdash-Quiet">
            {preview
              ? trans.__('It comes when nothing is wrong.')
              : id
                ? trans.__('Loading…')
                : trans.__('Save the template to see its script.')}
          </p>
        )
      )}
    </section>
  );
}
