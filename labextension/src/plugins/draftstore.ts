import { PageConfig } from '@jupyterlab/coreutils';
import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';

import type { IDraftStore, IStored } from '../sections/newjob/store';

const KEY = 'jupyter-slurmdash:new-job';

/** Milliseconds in which several changes become one save of the workspace. */
const DEBOUNCE = 300;

/**
 * The draft in JupyterLab's state database, so that it follows the workspace to another browser, and at once in this
 * browser's own storage too: the workspace is saved late, and a reload right after a key stroke must not lose it.
 */
export class DraftStore implements IDraftStore {
  constructor(options: DraftStore.IOptions) {
    this._state = options.state ?? null;
    this._storage = options.storage ?? window.localStorage;
    this._key = `${KEY}:${PageConfig.getBaseUrl()}:${PageConfig.getOption('workspace')}`;
    this._now = options.now ?? Date.now;
  }

  async load(): Promise<unknown> {
    const here = this._readHere();
    const there = (await this._state?.fetch(KEY)) as ISaved | undefined;
    return (there && (!here || there.savedAt > here.savedAt) ? there : here)
      ?.stored;
  }

  save(stored: IStored): void {
    const saved: ISaved = { savedAt: this._now(), stored };
    try {
      this._storage.setItem(this._key, JSON.stringify(saved));
    } catch {
      // Full or forbidden: the state database has it.
    }
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      void this._state?.save(KEY, saved as unknown as ReadonlyPartialJSONValue);
    }, DEBOUNCE);
  }

  private _readHere(): ISaved | null {
    try {
      return JSON.parse(this._storage.getItem(this._key) ?? 'null') as ISaved;
    } catch {
      return null;
    }
  }

  private readonly _state: IStateDB | null;
  private readonly _storage: Storage;
  private readonly _key: string;
  private readonly _now: () => number;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

export namespace DraftStore {
  export interface IOptions {
    state?: IStateDB | null;
    storage?: Storage;
    now?: () => number;
  }
}

interface ISaved {
  savedAt: number;
  stored: unknown;
}
