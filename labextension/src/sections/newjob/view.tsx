import * as React from 'react';

import { TextField } from '../../components/Field';
import { Part } from '../../components/Part';
import { SchemaForm, type IObjectSchema } from '../../components/SchemaForm';
import { namesOf } from '../../components/schemafields';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import { FilesField } from './filesview';
import { Footer } from './footer';
import { FieldLink } from './link';
import type { NewJobModel } from './model';
import { AppField, ImageField, TemplateField } from './pickers';
import { Resources } from './resources';
import { ScriptPart } from './scriptview';

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
  const link = React.useMemo(() => new FieldLink(), []);
  useMarkedField(root, link);
  return (
    <div className="jp-slurmdash-Form" ref={root}>
      <div className="jp-slurmdash-Form-body">
        <div
          className="jp-slurmdash-Form-main"
          onFocus={({ target }) => link.set({ focused: pointerOf(target) })}
          onBlur={() => link.set({ focused: null })}
          onMouseOver={({ target }) =>
            link.set({ hovered: pointerOf(target as Element) })
          }
          onMouseLeave={() => link.set({ hovered: null })}
        >
          <TemplateField model={model} />
          <ImageField model={model} />
          <AppField model={model} />
          <FilesField model={model} />
          <Parameters model={model} />
          <Resources model={model} />
          <JobName model={model} />
        </div>
        <div className="jp-slurmdash-Form-aside">
          <ScriptPart model={model} link={link} />
        </div>
      </div>
      <Footer model={model} onOpenJob={onOpenJob} />
    </div>
  );
}

function Parameters({ model }: { model: NewJobModel }): React.ReactNode {
  const trans = useTrans();
  const schema = model.template?.parameters as IObjectSchema | null | undefined;
  if (!schema || namesOf(schema).size === 0) {
    return null;
  }
  return (
    <Part title={trans.__('Options')}>
      <SchemaForm
        schema={schema}
        values={model.draft.parameters}
        locks={model.locks.parameters}
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

/** Gives the focus to the field that a finding is about, opening the fold it is in. */
function useFocusOnDemand(model: NewJobModel): React.RefObject<HTMLDivElement> {
  const root = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    const onAsked = (_: NewJobModel, pointer: string) => {
      const field = root.current && findField(root.current, pointer);
      if (field) {
        field.closest('details')?.setAttribute('open', '');
        field.scrollIntoView({ block: 'center' });
        (field.querySelector<HTMLElement>('.cm-content') ?? field).focus();
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

/** Marks the field that made the line of the script that is pointed at. */
function useMarkedField(
  root: React.RefObject<HTMLElement | null>,
  link: FieldLink
): void {
  React.useEffect(() => {
    let marked: HTMLElement | null = null;
    const onChanged = () => {
      const { fromScript } = link;
      const field =
        fromScript && root.current && findField(root.current, fromScript);
      const box = field
        ? (field.closest<HTMLElement>('details:not([open])') ??
          field.closest<HTMLElement>('.jp-slurmdash-Field') ??
          field)
        : null;
      if (box !== marked) {
        marked?.removeAttribute('data-marked');
        box?.setAttribute('data-marked', '');
        marked = box;
      }
    };
    link.changed.connect(onChanged);
    return () => {
      link.changed.disconnect(onChanged);
    };
  }, [root, link]);
}

/** The pointer of the field that an element is a part of. */
export function pointerOf(element: Element): string | null {
  const own = element.closest<HTMLElement>('[data-pointer]');
  const field = own
    ? own
    : element
        .closest('.jp-slurmdash-Field')
        ?.querySelector<HTMLElement>('[data-pointer]');
  return field?.dataset.pointer ?? null;
}
