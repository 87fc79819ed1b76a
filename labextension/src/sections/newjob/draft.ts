import type { JobSubmit, Locks, Partition, Template } from '../../api/types';
import {
  fixedValue,
  isDecided,
  resolveTyped,
  type IObjectSchema
} from '../../components/schemafields';
import { parseValue, type RawValue } from '../../components/schemavalues';
import { toAsk, type IScriptEdit } from './edit';

export const NO_LOCKS: Locks = { slurm: {}, parameters: {} };

/** What the user set for one template; kept apart, so that trying another loses nothing. */
export interface ISettings {
  imageId: string | null;
  app: string | null;
  /** sbatch options as typed; an empty one means "as the template has it". */
  options: Record<string, string>;
  /** The template's parameters as typed. */
  parameters: Record<string, RawValue>;
  jobName: string;
  /** The script as the user changed it. */
  edit: IScriptEdit | null;
  /** The edit that "Back to the generated script" put away. */
  dropped: IScriptEdit | null;
}

/** Everything in the form. Plain data: it survives a reload. */
export interface IDraft extends ISettings {
  templateId: string | null;
  sessionId: string | null;
  /** The submission's Idempotency-Key. */
  key: string;
  /** Settings of templates that were chosen before. */
  kept: Record<string, ISettings>;
}

/** Options that few need; behind a fold. */
export const MORE_OPTIONS = [
  'account',
  'qos',
  'constraint',
  'reservation',
  'dependency',
  'begin',
  'nodelist',
  'exclude',
  'mail_type',
  'mail_user'
] as const;

/** Options that have a field only when a template or an edited script sets them. */
export const RARE_OPTIONS = [
  'array',
  'ntasks_per_node',
  'mem_per_cpu',
  'nice',
  'output',
  'error'
] as const;

const WHOLE_NUMBERS = new Set([
  'nodes',
  'ntasks',
  'ntasks_per_node',
  'cpus_per_task',
  'nice'
]);

const KEPT_TEMPLATES = 30;

/** Where an edit is kept that was made without a template. */
const NO_TEMPLATE = '';

export function emptySettings(): ISettings {
  return {
    imageId: null,
    app: null,
    options: {},
    parameters: {},
    jobName: '',
    edit: null,
    dropped: null
  };
}

export function emptyDraft(key: string): IDraft {
  return {
    ...emptySettings(),
    templateId: null,
    sessionId: null,
    key,
    kept: {}
  };
}

/** The draft with another template, its settings as they were left. */
export function withTemplate(draft: IDraft, id: string | null): IDraft {
  const { imageId, app, jobName } = draft;
  const kept = { ...draft.kept };
  if (draft.templateId !== null || draft.edit) {
    const old = draft.templateId ?? NO_TEMPLATE;
    delete kept[old];
    kept[old] = settingsOf(draft);
  }
  const names = Object.keys(kept);
  for (const name of names.slice(0, -KEPT_TEMPLATES)) {
    delete kept[name];
  }
  const settings = id === null ? undefined : kept[id];
  return {
    ...draft,
    // Without a template, what was chosen for none stays; an edit belongs to the script that it was made in.
    ...(settings ??
      (id === null
        ? { edit: kept[NO_TEMPLATE]?.edit ?? null, dropped: null }
        : emptySettings())),
    // An image chosen first, by hand, is meant for the template chosen after it.
    ...(settings === undefined && draft.templateId === null
      ? { imageId, app, jobName }
      : {}),
    templateId: id,
    kept
  };
}

function settingsOf(draft: ISettings): ISettings {
  const { imageId, app, options, parameters, jobName, edit, dropped } = draft;
  return { imageId, app, options, parameters, jobName, edit, dropped };
}

/** What an option's field shows: the user's, else the template's. */
export function optionText(
  draft: IDraft,
  template: Template | null,
  name: string
): string {
  const fixed = fixedValue(template?.locks.slurm[name]);
  return fixed !== undefined
    ? String(fixed)
    : (draft.options[name] ?? templateOption(template, name));
}

/** An option as the template has it. */
export function templateOption(
  template: Template | null,
  name: string
): string {
  const value = template?.slurm[name];
  return value === undefined || value === null ? '' : String(value);
}

/** The form as the contract's `JobSubmit`; only what the user set, the server adds the template's. */
export function toSubmission(
  draft: IDraft,
  template: Template | null,
  locks: Locks = template?.locks ?? NO_LOCKS
): JobSubmit {
  const asked = toAsk(draft);
  const jobName = asked.jobName.trim();
  const options: Record<string, string | number> = {};
  for (const [name, typed] of Object.entries(asked.options)) {
    const text = typed.trim();
    if (text && !isDecided(locks.slurm[name])) {
      options[name] = optionValue(name, text);
    }
  }
  const schema = (template?.parameters ?? {}) as IObjectSchema;
  const parameters: Record<string, string | number | boolean> = {};
  const { fields } = resolveTyped(schema, draft.parameters, locks.parameters);
  for (const [name, raw] of Object.entries(draft.parameters)) {
    const field = fields.get(name);
    const value = field ? parseValue(field, raw) : null;
    // What is not there, or not the user's to set, is kept but not sent.
    if (value !== null && !isDecided(locks.parameters[name])) {
      parameters[name] = value;
    }
  }
  return {
    ...(jobName ? { job_name: jobName } : {}),
    template_id: draft.templateId,
    image_id: draft.imageId,
    app: draft.app || null,
    session_id: draft.sessionId,
    options: options as JobSubmit['options'],
    parameters,
    ...(asked.edit ? { edit: asked.edit } : {})
  };
}

function optionValue(name: string, text: string): string | number {
  if (WHOLE_NUMBERS.has(name) && /^-?\d+$/.test(text)) {
    return Number(text);
  }
  // "2" GPUs is what people mean; Slurm wants to hear of what.
  return name === 'gres' && /^\d+$/.test(text) ? `gpu:${text}` : text;
}

/** The partition that the job would go to, as far as is known here. */
export function partitionOf(
  draft: IDraft,
  template: Template | null,
  partitions: ReadonlyArray<Partition>
): Partition | null {
  const name = optionText(draft, template, 'partition');
  return (
    partitions.find(partition =>
      name ? partition.name === name : partition.is_default
    ) ?? null
  );
}
