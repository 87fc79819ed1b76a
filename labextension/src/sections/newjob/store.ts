import type { RawValue } from '../../components/schemavalues';
import {
  emptyDraft,
  emptySettings,
  type IDraft,
  type ISettings
} from './draft';
import { restoreEdit } from './edit';

const RECENT = 8;

/** What the form keeps across reloads. */
export interface IStored {
  draft: IDraft;
  recentTemplates: string[];
  recentImages: string[];
}

/** Where the draft is kept. */
export interface IDraftStore {
  load(): Promise<unknown>;
  save(stored: IStored): void;
}

/** What was stored, of whatever form; nothing when it cannot be had. */
export async function loadStored(
  store: IDraftStore
): Promise<Record<keyof IStored, unknown>> {
  const stored = (await store.load().catch(() => null)) as Partial<
    Record<keyof IStored, unknown>
  > | null;
  return {
    draft: stored?.draft,
    recentTemplates: stored?.recentTemplates,
    recentImages: stored?.recentImages
  };
}

/** The list with this one first, as long as it may be. */
export function recent(list: ReadonlyArray<string>, id: string): string[] {
  return [id, ...list.filter(other => other !== id)].slice(0, RECENT);
}

export function strings(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === 'string')
    : [];
}

/** Any stored value as a draft; what is not understood is left out, never an error. */
export function restoreDraft(value: unknown, key: string): IDraft {
  const draft = emptyDraft(key);
  if (!isRecord(value)) {
    return draft;
  }
  const kept: Record<string, ISettings> = {};
  if (isRecord(value.kept)) {
    for (const [id, settings] of Object.entries(value.kept)) {
      kept[id] = restoreSettings(settings);
    }
  }
  return {
    ...draft,
    ...restoreSettings(value),
    templateId: textOrNull(value.templateId),
    sessionId: textOrNull(value.sessionId),
    key: textOrNull(value.key) ?? key,
    kept
  };
}

function restoreSettings(value: unknown): ISettings {
  if (!isRecord(value)) {
    return emptySettings();
  }
  const texts = (record: unknown, booleans: boolean) =>
    Object.fromEntries(
      Object.entries(isRecord(record) ? record : {}).filter(
        ([, item]) =>
          typeof item === 'string' || (booleans && typeof item === 'boolean')
      )
    );
  return {
    imageId: textOrNull(value.imageId),
    app: textOrNull(value.app),
    options: texts(value.options, false) as Record<string, string>,
    parameters: texts(value.parameters, true) as Record<string, RawValue>,
    jobName: typeof value.jobName === 'string' ? value.jobName : '',
    edit: restoreEdit(value.edit),
    dropped: restoreEdit(value.dropped)
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
