import * as React from 'react';

import { Button } from '../../components/Buttons';
import { ErrorNote } from '../../components/Notes';
import { Part } from '../../components/Part';
import { isOf, ScriptLines, type IOrigin } from '../../components/ScriptLines';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import { Conflicts } from './conflictview';
import { BY_HAND, fieldLabel } from './fieldwords';
import type { FieldLink } from './link';
import type { NewJobModel } from './model';
import { ScriptEditor } from './scripteditor';

/** The script that Slurm will run: which field made which line, and what the user wrote into it. */
export function ScriptPart({
  model,
  link
}: {
  model: NewJobModel;
  link: FieldLink;
}): React.JSX.Element {
  const trans = useTrans();
  const [editing, setEditing] = React.useState(false);
  const { edit } = model.draft;
  const stale =
    model.script !== '' &&
    !edit &&
    (!model.preview || model.preview.script === '');
  const origins = useOrigins(model);
  return (
    <Part
      title={trans.__('Script')}
      side={
        <span className="jp-slurmdash-Quiet" role="status">
          {model.editor.pending && !model.script
            ? trans.__('Writing…')
            : stale
              ? trans.__('as it was before the faults')
              : null}
        </span>
      }
    >
      <div
        className="jp-slurmdash-ScriptPart"
        data-pointer="/script"
        tabIndex={-1}
      >
        {model.previewError && !model.errors.length ? (
          <ErrorNote
            error={model.previewError}
            onRetry={() => model.refresh()}
          />
        ) : null}
        {model.script ? (
          <>
            <Tools
              model={model}
              editing={editing}
              onEdit={on => {
                setEditing(on);
                model.editor.leave();
              }}
            />
            <Conflicts model={model} />
            {editing ? (
              <ScriptEditor model={model} link={link} origins={origins} />
            ) : (
              <div
                className="jp-slurmdash-ScriptPart"
                data-pointer={BY_HAND}
                tabIndex={-1}
              >
                <Lines
                  model={model}
                  link={link}
                  origins={origins}
                  stale={stale}
                />
              </div>
            )}
            {/* Below: its height changes as one types, and must not move the lines under the pointer. */}
            <HandNote model={model} origins={origins} />
            <Spoken model={model} link={link} origins={origins} />
          </>
        ) : (
          <p className="jp-slurmdash-Quiet" data-testid="slurmdash-script">
            {model.isEmpty
              ? trans.__(
                  'Choose a template or an image: the script that Slurm will run shows here as you go.'
                )
              : trans.__(
                  'The script that Slurm will run shows here once the form has what it needs.'
                )}
          </p>
        )}
      </div>
    </Part>
  );
}

/** Edit, and back to what was generated. */
function Tools({
  model,
  editing,
  onEdit
}: {
  model: NewJobModel;
  editing: boolean;
  onEdit: (on: boolean) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { edit, dropped } = model.draft;
  return (
    <div className="jp-slurmdash-ScriptTools">
      <Button
        small
        data-testid="slurmdash-script-edit"
        onClick={() => onEdit(!editing)}
      >
        {editing ? trans.__('Done') : trans.__('Edit script')}
      </Button>
      {edit ? (
        <button
          type="button"
          className="jp-slurmdash-Link"
          data-testid="slurmdash-script-drop"
          title={trans.__('Without what you wrote; it can be undone')}
          onClick={() => model.editor.drop()}
        >
          {trans.__('Back to the generated script')}
        </button>
      ) : dropped ? (
        <button
          type="button"
          className="jp-slurmdash-Link"
          data-testid="slurmdash-script-undo"
          onClick={() => model.editor.undo()}
        >
          {trans.__('Undo: bring your changes back')}
        </button>
      ) : null}
    </div>
  );
}

/** What became of the lines that no field can hold. */
function HandNote({
  model,
  origins
}: {
  model: NewJobModel;
  origins: ReadonlyArray<IOrigin>;
}): React.ReactNode {
  const trans = useTrans();
  if (!model.draft.edit) {
    return null;
  }
  const lines = origins.filter(({ byHand }) => byHand).length;
  return (
    <p
      className="jp-slurmdash-Quiet jp-slurmdash-HandNote"
      role="status"
      data-testid="slurmdash-script-hand"
    >
      {!model.editor.isCurrent
        ? trans.__('Reading what you write…')
        : lines
          ? trans._n(
              '%1 line is kept by hand: no field can hold it, so changes in the form leave it as it is.',
              '%1 lines are kept by hand: no field can hold them, so changes in the form leave them as they are.',
              lines
            )
          : trans.__('Lines that you took out stay out.')}
    </p>
  );
}

function Lines({
  model,
  link,
  origins,
  stale
}: {
  model: NewJobModel;
  link: FieldLink;
  origins: ReadonlyArray<IOrigin>;
  stale: boolean;
}): React.JSX.Element {
  const trans = useTrans();
  useModel(link);
  return (
    <ScriptLines
      script={model.script}
      label={trans.__('The script that Slurm will run')}
      testId="slurmdash-script"
      origins={origins}
      lit={link.field}
      stale={stale}
      onPoint={pointer => link.set({ fromScript: pointer })}
      onGo={pointer => model.askFocus(pointer)}
    />
  );
}

/** For those who do not see the marked lines: what the field with the focus makes of the script. */
function Spoken({
  model,
  link,
  origins
}: {
  model: NewJobModel;
  link: FieldLink;
  origins: ReadonlyArray<IOrigin>;
}): React.JSX.Element {
  const trans = useTrans();
  useModel(link);
  const { focused } = link;
  const line = focused
    ? origins.findIndex(({ pointer }) => isOf(pointer, focused))
    : -1;
  return (
    <div
      className="jp-slurmdash-Hidden"
      role="status"
      data-testid="slurmdash-script-spoken"
    >
      {line >= 0
        ? trans.__(
            'Line %1 of the script: %2',
            line + 1,
            model.script.split('\n')[line]
          )
        : ''}
    </div>
  );
}

/** Where each line in sight comes from; nothing while the server has not seen this text yet. */
function useOrigins(model: NewJobModel): ReadonlyArray<IOrigin> {
  const trans = useTrans();
  const { template } = model;
  const { isCurrent } = model.editor;
  const pointers = model.preview?.origins;
  return React.useMemo(
    () =>
      isCurrent
        ? (pointers ?? []).map(pointer => ({
            pointer: pointer === BY_HAND ? '' : pointer,
            words: fieldLabel(trans, pointer, template),
            byHand: pointer === BY_HAND
          }))
        : [],
    [trans, template, isCurrent, pointers]
  );
}
