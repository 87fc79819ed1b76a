import * as React from 'react';

import { Button } from '../../components/Buttons';
import { Field } from '../../components/Field';
import { Note } from '../../components/Notes';
import { Part } from '../../components/Part';
import { useTrans } from '../../components/trans';
import { CodeHost } from '../../components/CodeHost';
import { shown, valueAt, withValue } from './document';
import { Choice, FormContext, Line, Lines, Words } from './fields';
import type { TemplateEditorModel } from './model';
import { LocksPart } from './lockspart';
import { ParametersPart } from './paramsview';
import { Resources } from './resourcesview';
import { SlotsPart } from './slotsview';

const CATEGORIES = ['ml', 'cfd', 'structural', 'molecular', 'data', 'custom'];

/** Checks that come with the product; a site's own can be written beside them. */
const CHECKS = [
  'check_gpu_availability',
  'validate_dataset_size',
  'validate_dat_format',
  'notify_user',
  'log_submission'
];

/** The template as a form; each change is written into the text, beside its comments. */
export function FormView({
  model,
  onShowText
}: {
  model: TemplateEditorModel;
  onShowText: (line: number, column?: number) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { document, errors, problem } = model;
  const messages = React.useMemo(
    () =>
      new Map([
        ...errors.map(({ pointer, message }) => [pointer, message] as const),
        ...(problem ? [[problem.pointer, problem.message] as const] : [])
      ]),
    [errors, problem]
  );
  if (!document) {
    return model.checking || !problem ? (
      <p className="jp-slurmdash-Quiet">{trans.__('Loading…')}</p>
    ) : (
      <Note kind="warning">
        <span>
          {trans.__(
            'The text cannot be read as YAML, so the form cannot show it. Line %1: %2',
            problem.line,
            problem.message
          )}
        </span>
        <Button small onClick={() => onShowText(problem.line, problem.column)}>
          {trans.__('Go to the line')}
        </Button>
      </Note>
    );
  }
  return (
    <FormContext.Provider
      value={{
        doc: document,
        edit: next => model.edit(next),
        errors: messages
      }}
    >
      <fieldset
        className="jp-slurmdash-TemplateForm"
        disabled={!model.canEdit}
        aria-label={trans.__('Template')}
      >
        <Facts fixedId={model.base !== null} />
        <Resources />
        <ImagePart />
        <SlotsPart />
        <ParametersPart />
        <LocksPart />
        <Scripts readOnly={!model.canEdit} />
        <Checks />
      </fieldset>
    </FormContext.Provider>
  );
}

function Facts({ fixedId }: { fixedId: boolean }): React.JSX.Element {
  const trans = useTrans();
  return (
    <Part title={trans.__('Basics')}>
      <div className="jp-slurmdash-Grid">
        <Line
          path={['template', 'display_name']}
          label={trans.__('Name people see')}
        />
        <Line
          path={['template', 'name']}
          label={trans.__('Short name')}
          required
        />
        <Line
          path={['template', 'id']}
          label={trans.__('Id')}
          required
          hint={
            fixedId ? trans.__('It stays for good; clone for another.') : ''
          }
        />
        <Choice
          path={['template', 'category']}
          label={trans.__('Category')}
          options={CATEGORIES}
        />
        <Line path={['template', 'version']} label={trans.__('Version')} />
        <Words
          path={['template', 'tags']}
          label={trans.__('Tags')}
          separator=","
          hint={trans.__('with commas between')}
        />
      </div>
      <Lines
        path={['template', 'description']}
        label={trans.__('Description')}
        rows={2}
      />
    </Part>
  );
}

function ImagePart(): React.JSX.Element {
  const trans = useTrans();
  return (
    <Part title={trans.__('Image')}>
      <div className="jp-slurmdash-Grid">
        <Line
          path={['apptainer', 'image_name']}
          label={trans.__('Image')}
          placeholder="pytorch_cuda.sif"
          hint={trans.__('found by its name in the catalogue')}
        />
        <Line path={['apptainer', 'app']} label={trans.__('App')} />
      </div>
      <Words
        path={['apptainer', 'bind']}
        label={trans.__('Directories to bind')}
        separator={'\n'}
        hint={trans.__('one a line: source:target, or source:target:ro')}
      />
    </Part>
  );
}

function Scripts({ readOnly }: { readOnly: boolean }): React.JSX.Element {
  const trans = useTrans();
  const { doc, edit, errors } = React.useContext(FormContext);
  const sections: Array<[string, string, string]> = [
    ['pre_exec', trans.__('Before'), trans.__('runs first')],
    [
      'main_exec',
      trans.__('Work'),
      trans.__('left empty: the app, or the image itself, runs')
    ],
    ['post_exec', trans.__('After'), trans.__('runs when the work succeeded')]
  ];
  return (
    <Part title={trans.__('Script')}>
      {sections.map(([name, label, hint]) => (
        <Field
          key={name}
          label={label}
          hint={hint}
          error={errors.get(`/script/${name}`)}
        >
          {() => (
            <CodeHost
              label={label}
              mimeType="text/x-sh"
              lineNumbers={false}
              readOnly={readOnly}
              value={shown(valueAt(doc, ['script', name]))}
              testId={`slurmdash-script-${name}`}
              onChange={text =>
                edit(withValue(doc, ['script', name], text || undefined))
              }
            />
          )}
        </Field>
      ))}
    </Part>
  );
}

function Checks(): React.JSX.Element {
  const trans = useTrans();
  return (
    <Part title={trans.__('Checks')}>
      <div className="jp-slurmdash-Grid">
        <Words
          path={['validation', 'pre_submit']}
          label={trans.__('Before it is submitted')}
          separator={'\n'}
          hint={CHECKS.slice(0, 3).join(', ')}
        />
        <Words
          path={['validation', 'post_submit']}
          label={trans.__('After it was submitted')}
          separator={'\n'}
          hint={CHECKS.slice(3).join(', ')}
        />
      </div>
    </Part>
  );
}
