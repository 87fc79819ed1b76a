import { PageConfig } from '@jupyterlab/coreutils';
import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';

import type {
  ITemplateDraft,
  ITemplateDrafts
} from '../sections/templateeditor/model';

const KEY = 'jupyter-slurmdash:template';

/** Milliseconds in which several changes become one save of the workspace. */
const DEBOUNCE = 300;

/**
 * What is typed in template editors, kept as the new job's draft is: at once in this browser's storage, and in
 * JupyterLab's state database, which follows the workspace elsewhere.
 */
export class TemplateDrafts implements ITemplateDrafts {
  constructor(options: TemplateDrafts.IOptions = {}) {
    this._state = options.state ?? null;
    this._storage = options.storage ?? window.localStorage;
    this._now = options.now ?? Date.now;
  }

  async load(key: string): Promise<ITemplateDraft | null> {
    const here = this._readHere(key);
    const there = (await this._state?.fetch(`${KEY}:${key}`)) as
      ISaved | undefined;
    return (
      (there && (!here || there.savedAt > here.savedAt) ? there : here)
        ?.draft ?? null
    );
  }

  save(key: string, draft: ITemplateDraft | null): void {
    const saved: ISaved = { savedAt: this._now(), draft };
    try {
      this._storage.setItem(this._place(key), JSON.stringify(saved));
    } catch {
      // Full or forbidden: the state database has it.
    }
    clearTimeout(this._timers.get(key));
    this._timers.set(
      key,
      setTimeout(() => void this._saveThere(key, saved), DEBOUNCE)
    );
  }

  private async _saveThere(key: string, saved: ISaved): Promise<void> {
    this._timers.delete(key);
    if (saved.draft) {
      await this._state?.save(
        `${KEY}:${key}`,
        saved as unknown as ReadonlyPartialJSONValue
      );
      return;
    }
    await this._state?.remove(`${KEY}:${key}`);
    if (this._readHere(key)?.savedAt === saved.savedAt) {
      this._storage.removeItem(this._place(key));
    }
  }

  private _readHere(key: string): ISaved | null {
    try {
      return JSON.parse(
        this._storage.getItem(this._place(key)) ?? 'null'
      ) as ISaved;
    } catch {
      return null;
    }
  }

  private _place(key: string): string {
    return `${KEY}:${PageConfig.getBaseUrl()}:${PageConfig.getOption('workspace')}:${key}`;
  }

  private readonly _state: IStateDB | null;
  private readonly _storage: Storage;
  private readonly _now: () => number;
  private readonly _timers = new Map<string, ReturnType<typeof setTimeout>>();
}

export namespace TemplateDrafts {
  export interface IOptions {
    state?: IStateDB | null;
    storage?: Storage;
    now?: () => number;
  }
}

interface ISaved {
  savedAt: number;
  draft: ITemplateDraft | null;
}
