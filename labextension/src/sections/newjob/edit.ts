import type { Preview, ScriptEdit } from '../../api/types';

/** What of the form can be read back from a script. */
export interface IForm {
  /** sbatch options as typed. */
  options: Record<string, string>;
  jobName: string;
}

/** The form now wants `other` where `kept` stands, which was written by hand; not answered yet. */
export interface IConflict {
  /** Counted from 1, at the time it was found. */
  line: number;
  kept: string[];
  other: string[];
}

/** A script edited by hand. Plain data: it survives a reload. */
export interface IScriptEdit extends ScriptEdit {
  /** The form without what is read from the text as it is typed; null when all of it was taken over. */
  before: IForm | null;
  /** What was set in the form since `before`: it is later than the text, so it wins. */
  since: Partial<IForm>;
  conflicts: IConflict[];
}

interface IEditable extends IForm {
  edit: IScriptEdit | null;
}

/** `text` was typed, in a script that was generated as `base` unless it was edited before. */
export function typed<T extends IEditable>(
  form: T,
  base: string,
  text: string
): T {
  const { edit, options, jobName } = form;
  return {
    ...form,
    edit: {
      base: edit?.base ?? base,
      text,
      before: edit?.before ?? { options, jobName },
      since: edit?.since ?? {},
      conflicts: edit?.conflicts ?? []
    }
  };
}

/** The form after one of its fields was set: what is in the text still, unread, does not win over it. */
export function setInForm<T extends IEditable>(
  form: T,
  change: Partial<IForm>
): T {
  const { edit } = form;
  const options = { ...form.options, ...change.options };
  return {
    ...form,
    ...change,
    options,
    edit: edit?.before
      ? {
          ...edit,
          since: {
            ...edit.since,
            ...change,
            options: { ...edit.since.options, ...change.options }
          }
        }
      : edit
  };
}

/** What the server is asked with: it reads the text itself. */
export function toAsk(
  form: IEditable
): IForm & { edit: ScriptEdit | undefined } {
  const { edit } = form;
  const { options, jobName } = edit?.before ?? form;
  return {
    options,
    jobName,
    edit: edit ? { base: edit.base, text: edit.text } : undefined
  };
}

/** The form with what the server read in the text. While someone types there, the text itself stays as it is. */
export function readInto<T extends IEditable>(form: T, preview: Preview): T {
  const { edit } = form;
  if (!edit?.before) {
    return form;
  }
  const { job_name: name, ...options } = preview.read_back ?? {};
  const { before, since } = edit;
  return {
    ...form,
    options: { ...before.options, ...options, ...since.options },
    jobName: since.jobName ?? name ?? before.jobName
  };
}

/**
 * The form with its edit as it is from now on: what could be read is the form's, and the rest a difference to the
 * script that was generated last. No edit any more when there is no difference.
 */
export function takeOver<T extends IEditable>(form: T, preview: Preview): T {
  const { edit } = form;
  const { generated, script } = preview;
  if (!edit || !generated || !script) {
    return form;
  }
  const fresh = (preview.conflicts ?? []).map(({ line, kept, other }) => ({
    line,
    kept,
    other
  }));
  return {
    ...readInto(form, preview),
    edit:
      script === generated
        ? null
        : {
            base: generated,
            text: script,
            before: null,
            since: {},
            conflicts: [
              ...edit.conflicts.filter(old => isOpen(old, preview, fresh)),
              ...fresh
            ]
          }
  };
}

/** The edit with the answer to a conflict: one's own lines stay, or give way to the form's. */
export function answer(
  edit: IScriptEdit,
  conflict: IConflict,
  take: 'mine' | 'form'
): IScriptEdit {
  const conflicts = edit.conflicts.filter(other => other !== conflict);
  if (take === 'mine') {
    return { ...edit, conflicts };
  }
  const lines = edit.text.split('\n');
  const { kept, other } = conflict;
  const at = kept.length
    ? find(lines, kept, conflict.line - 1)
    : placeOf(lines, edit.base.split('\n'), conflict);
  if (at >= 0) {
    lines.splice(at, kept.length, ...other);
  }
  return { ...edit, text: lines.join('\n'), conflicts };
}

/** Any stored value as an edit, or null. */
export function restoreEdit(value: unknown): IScriptEdit | null {
  const stored = value as Partial<IScriptEdit> | null | undefined;
  if (
    typeof stored !== 'object' ||
    typeof stored?.base !== 'string' ||
    typeof stored.text !== 'string'
  ) {
    return null;
  }
  const { base, text, before, since } = stored;
  return {
    base,
    text,
    before: before
      ? { options: {}, jobName: '', ...restoreForm(before) }
      : null,
    since: restoreForm(since),
    conflicts: Array.isArray(stored.conflicts)
      ? stored.conflicts.filter(
          ({ line, kept, other }) =>
            typeof line === 'number' && isTexts(kept) && isTexts(other)
        )
      : []
  };
}

/** Is a conflict of before still one? Not when the form wants something else by now, or the lines were changed. */
function isOpen(
  { kept, other, line }: IConflict,
  { script, generated }: Preview,
  fresh: ReadonlyArray<IConflict>
): boolean {
  const same = (one: IConflict) =>
    one.kept.join('\n') === kept.join('\n') &&
    (kept.length > 0 || one.line === line);
  return (
    !fresh.some(same) &&
    find((generated ?? '').split('\n'), other, 0) >= 0 &&
    find(script.split('\n'), kept, line - 1) >= 0
  );
}

/** Where `part` stands in `lines`, nearest to `near`; -1 for nowhere. */
function find(
  lines: ReadonlyArray<string>,
  part: ReadonlyArray<string>,
  near: number
): number {
  let best = -1;
  for (let at = 0; at + part.length <= lines.length; at++) {
    if (
      part.every((line, step) => lines[at + step] === line) &&
      (best < 0 || Math.abs(at - near) < Math.abs(best - near))
    ) {
      best = at;
    }
  }
  return best;
}

/** Where lines that were taken out by hand go in again: after the line that they follow in the generated script. */
function placeOf(
  lines: ReadonlyArray<string>,
  generated: ReadonlyArray<string>,
  { line, other }: IConflict
): number {
  const there = find(generated, other, line - 1);
  const after = there > 0 ? lines.indexOf(generated[there - 1]) : -1;
  return after >= 0 ? after + 1 : Math.min(line - 1, lines.length);
}

function restoreForm(value: unknown): Partial<IForm> {
  const { options, jobName } = (value ?? {}) as Partial<IForm>;
  return {
    ...(typeof options === 'object' && options !== null
      ? {
          options: Object.fromEntries(
            Object.entries(options).filter(
              ([, text]) => typeof text === 'string'
            )
          )
        }
      : {}),
    ...(typeof jobName === 'string' ? { jobName } : {})
  };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}
