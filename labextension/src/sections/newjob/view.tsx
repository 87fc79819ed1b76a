import * as React from 'react';

import { ErrorNote } from '../../components/Notes';
import { TextField } from '../../components/Field';
import { Part } from '../../components/Part';
import { SchemaForm, type IObjectSchema } from '../../components/SchemaForm';
import { ScriptText } from '../../components/ScriptText';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import { FilesField } from './filesview';
import { Footer } from './footer';
import type { NewJobModel } from './model';
import { AppField, ImageField, TemplateField } from './pickers';
import { Resources } from './resources';

/** The whole form: what to run on the left, what comes of it on the right when there is room. */
export function NewJobView({
  model,
  onOpenJob
}: {
  model: NewJobModel;
  onOpenJob: (id: string) => void;
}): React.JSX.Element {
  useModel(model);
  const root = useFocusOnDemand(model);
  return (
    <div className="jp-slurmdash-Form" ref={root}>
      <div className="jp-slurmdash-Form-body">
        <div className="jp-slurmdash-Form-main">
          <TemplateField model={model} />
          <ImageField model={model} />
          <AppField model={model} />
          <FilesField model={model} />
          <Parameters model={model} />
          <Resources model={model} />
          <JobName model={model} />
        </div>
        <div className="jp-slurmdash-Form-aside">
          <Script model={model} />
        </div>
      </div>
      <Footer model={model} onOpenJob={onOpenJob} />
    </div>
  );
}

function Parameters({ model }: { model: NewJobModel }): React.ReactNode {
  const trans = useTrans();
  const schema = model.template?.parameters as IObjectSchema | null | undefined;
  if (!schema?.properties || Object.keys(schema.properties).length === 0) {
    return null;
  }
  return (
    <Part title={trans.__('Options')}>
      <SchemaForm
        schema={schema}
        values={model.draft.parameters}
        errors={model.messages('error')}
        pointer="/parameters"
        testId="slurmdash-parameter"
        onChange={(name, value) => model.setParameter(name, value)}
      />
    </Part>
  );
}

function JobName({ model }: { model: NewJobModel }): React.JSX.Element {
  const trans = useTrans();
  return (
    <TextField
      label={trans.__('Job name')}
      value={model.draft.jobName}
      placeholder={model.template?.name ?? 'job'}
      maxLength={100}
      testId="slurmdash-job-name"
      pointer="/job_name"
      error={model.messages('error').get('/job_name')}
      onChange={value => model.setJobName(value)}
    />
  );
}

function Script({ model }: { model: NewJobModel }): React.JSX.Element {
  const trans = useTrans();
  const stale =
    model.script !== '' && (!model.preview || model.preview.script === '');
  return (
    <Part
      title={trans.__('Script')}
      side={
        <span className="jp-slurmdash-Quiet" role="status">
          {model.previewing && !model.script
            ? trans.__('Writing…')
            : stale
              ? trans.__('as it was before the faults')
              : null}
        </span>
      }
    >
      <div data-pointer="/script" tabIndex={-1}>
        {model.previewError && !model.errors.length ? (
          <ErrorNote
            error={model.previewError}
            onRetry={() => model.refresh()}
          />
        ) : null}
        {model.script ? (
          <ScriptText
            script={model.script}
            label={trans.__('The script that Slurm will run')}
            testId="slurmdash-script"
            stale={stale}
          />
        ) : (
          <p className="jp-slurmdash-Quiet" data-testid="slurmdash-script">
            {trans.__(
              'Choose a template or an image: the script that Slurm will run shows here as you go.'
            )}
          </p>
        )}
      </div>
    </Part>
  );
}

/** Gives the focus to the field that a finding is about, opening the fold it is in. */
function useFocusOnDemand(model: NewJobModel): React.RefObject<HTMLDivElement> {
  const root = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    const onAsked = (_: NewJobModel, pointer: string) => {
      const field = root.current && findField(root.current, pointer);
      if (field) {
        field.closest('details')?.setAttribute('open', '');
        field.scrollIntoView({ block: 'center' });
        field.focus();
      }
    };
    model.focusAsked.connect(onAsked);
    return () => {
      model.focusAsked.disconnect(onAsked);
    };
  }, [model]);
  return root;
}

/** The field at a JSON Pointer, or the nearest one above it. */
export function findField(
  root: HTMLElement,
  pointer: string
): HTMLElement | null {
  const fields = [...root.querySelectorAll<HTMLElement>('[data-pointer]')];
  for (let at = pointer; at; at = at.slice(0, at.lastIndexOf('/'))) {
    const found = fields.find(field => field.dataset.pointer === at);
    if (found) {
      return found;
    }
  }
  return null;
}
