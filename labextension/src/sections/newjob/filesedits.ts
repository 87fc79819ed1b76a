import type { SlurmClient } from '../../api/client';
import type { DraftSession } from './filesdraft';
import { isGone } from './filesqueue';
import type { FilesStock } from './filesstock';

/** Questions to the server at the same time. */
const TOGETHER = 6;

/** What the user changes of the session's files. An answer that comes when the session is left changes nothing. */
export class FilesEdits {
  constructor(private readonly _options: FilesEdits.IOptions) {}

  /** Name files that are on the cluster, the first for a slot; false when one cannot be taken. */
  async addPaths(
    paths: ReadonlyArray<string>,
    slot?: string
  ): Promise<boolean> {
    const draft = this._options.draft();
    let good = true;
    for (const [at, path] of paths.entries()) {
      const added = await this._addPath(draft, path, at ? undefined : slot);
      if (draft.isLeft) {
        return false;
      }
      good = added && good;
    }
    return good;
  }

  async remove(fileIds: ReadonlyArray<string>): Promise<void> {
    const { client, stock, onEdited } = this._options;
    await this._each(
      fileIds,
      (sessionId, id) => client.deleteFile(sessionId, id),
      id => stock.remove([id])
    );
    onEdited();
  }

  /** Put a file into a slot, or into none. What stood there makes room. */
  async setSlot(fileId: string, slot: string | null): Promise<void> {
    await this.clearSlot(slot ?? undefined, fileId);
    await this._put(fileId, slot);
    this._options.onEdited();
  }

  /** What stands in a slot makes room for the next. */
  async clearSlot(slot?: string, but?: string): Promise<void> {
    for (const file of slot ? [...this._options.stock.files] : []) {
      if (file.slot === slot && file.file_id !== but) {
        await this._put(file.file_id, null);
      }
    }
  }

  private async _addPath(
    draft: DraftSession,
    path: string,
    slot?: string
  ): Promise<boolean> {
    const { client, stock, onEdited, onError } = this._options;
    try {
      const { session_id: id } = await draft.ensure();
      const file = await client.addPath(id, path, slot);
      if (draft.isOn(id)) {
        await this.clearSlot(slot, file.file_id);
      }
      if (draft.isOn(id)) {
        stock.merge([file]);
        onEdited();
      }
      return true;
    } catch (error) {
      if (!draft.isLeft) {
        onError(error);
      }
      return false;
    }
  }

  private _put(fileId: string, slot: string | null): Promise<void> {
    const { client, stock } = this._options;
    return this._each(
      [fileId],
      (sessionId, id) => client.updateFile(sessionId, id, { slot }),
      (_, file) => stock.merge([file])
    );
  }

  /** Ask about several files, some at a time, and take the answers; that one is gone already is no fault. */
  private async _each<T>(
    ids: ReadonlyArray<string>,
    ask: (sessionId: string, id: string) => Promise<T>,
    take: (id: string, answer: T) => void
  ): Promise<void> {
    const { draft: current, stock, onError } = this._options;
    const rest = [...ids];
    const draft = current();
    const sessionId = draft.session?.session_id ?? '';
    const work = async () => {
      for (let id; draft.isOn(sessionId) && (id = rest.shift());) {
        try {
          const answer = await ask(sessionId, id);
          if (draft.isOn(sessionId)) {
            take(id, answer);
          }
        } catch (error) {
          if (draft.isOn(sessionId) && isGone(error)) {
            stock.remove([id]);
          } else if (draft.isOn(sessionId)) {
            onError(error);
          }
        }
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, work));
  }
}

export namespace FilesEdits {
  export interface IOptions {
    client: Pick<SlurmClient, 'addPath' | 'updateFile' | 'deleteFile'>;
    stock: FilesStock;
    draft: () => DraftSession;
    /** The files have changed, and will stay so for a while. */
    onEdited: () => void;
    onError: (error: unknown) => void;
  }
}
