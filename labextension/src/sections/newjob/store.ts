import type { IDraft } from './draft';

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
