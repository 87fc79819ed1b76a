import type { SlurmClient } from '../../api/client';
import type { ISlurmEvent } from '../../api/events';
import type {
  ArchiveListing,
  FileValidation,
  UploadedFile,
  UploadSession
} from '../../api/types';
import { Problem } from '../../problem';
import { isGone } from './filesqueue';
import { FilesStock } from './filesstock';

/** Milliseconds that several changes may take to become one question to the server. */
const SETTLE = 150;

/** Milliseconds between two looks at whether another page still sends. */
const LISTEN = 2000;

/** Entries of an archive that are shown. */
const ENTRIES = 200;

/** Questions to the server at the same time. */
const TOGETHER = 6;

/** The upload session as the server has it, and what is asked of the server about it. */
export class FilesSession {
  constructor(private readonly _options: FilesSession.IOptions) {
    this._client = _options.client;
    this.stock = new FilesStock(_options.now);
  }

  readonly stock: FilesStock;
  session: UploadSession | null = null;
  validation: FileValidation | null = null;
  /** What went wrong last. */
  error: unknown = null;

  get templateId(): string | null {
    return this._templateId;
  }
  /** The template whose slots the files are checked against. */
  set templateId(id: string | null) {
    this._templateId = id;
    this.validation = null;
    this._check();
  }

  /** The session, made when there is none. Rejects when it cannot be made. */
  async ensure(): Promise<UploadSession> {
    if (!this.session) {
      // Several files dropped at once ask for one session.
      this._creating ??= this._client
        .createSession(this._templateId)
        .finally(() => {
          this._creating = null;
        });
      this.session = await this._creating;
      this._options.onChange();
    }
    return this.session;
  }

  /** Take up a session; false when the server could not be asked whether it is there. */
  async restore(sessionId: string): Promise<boolean> {
    try {
      this._take(await this._client.getSession(sessionId));
      this._check();
      return true;
    } catch (error) {
      const gone = isGone(error);
      this.error = gone ? null : error;
      return gone;
    }
  }

  /** Ask how the session stands. */
  async refresh(): Promise<void> {
    if (this.session) {
      try {
        this._take(await this._client.getSession(this.session.session_id));
        this._check();
        if (isNetwork(this.error)) {
          this.error = null;
        }
      } catch (error) {
        if (isGone(error)) {
          this.leave();
        }
        this.error = error;
      }
      this._options.onChange();
    }
  }

  /** Forget the session; a new one is made when it is needed. */
  leave(): void {
    this.session = null;
    this.validation = null;
    this.error = null;
    this.stock.reset([]);
  }

  /** Name a file that is on the cluster; false when it cannot be taken, with the reason in `error`. */
  async addPath(path: string, slot?: string): Promise<boolean> {
    try {
      const { session_id: id } = await this.ensure();
      const file = await this._client.addPath(id, path, slot);
      await this.clearSlot(slot, file.file_id);
      this.stock.merge([file]);
      this.settle();
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  async remove(fileIds: ReadonlyArray<string>): Promise<void> {
    await this._each(fileIds, async (id, sessionId) => {
      await this._client.deleteFile(sessionId, id);
      this.stock.remove([id]);
    });
    this.settle();
  }

  /** Put a file into a slot, or into none. What stood there makes room. */
  async setSlot(fileId: string, slot: string | null): Promise<void> {
    await this.clearSlot(slot ?? undefined, fileId);
    await this._put(fileId, slot);
    this.settle();
  }

  /** What an archive holds, its first entries. Rejects when the server cannot say. */
  contents(fileId: string): Promise<ArchiveListing> {
    return this._client.listArchive(
      this.session?.session_id ?? '',
      fileId,
      ENTRIES
    );
  }

  /** What stands in a slot makes room for the next. */
  async clearSlot(slot?: string, but?: string): Promise<void> {
    for (const file of slot ? [...this.stock.files] : []) {
      if (file.slot === slot && file.file_id !== but) {
        await this._put(file.file_id, null);
      }
    }
  }

  /** What happened to the session, here or elsewhere. */
  onEvent(event: ISlurmEvent): void {
    if (event.type === 'upload_progress') {
      this._onProgress(String(event.file_id), Number(event.uploaded_bytes));
      return;
    }
    const { files, removed } = event;
    if (Array.isArray(files) || Array.isArray(removed)) {
      this.stock.merge((files ?? []) as UploadedFile[]);
      this.stock.remove((removed ?? []) as string[]);
      this._options.onFiles();
      this.settle();
    } else {
      this.settle(() => void this.refresh());
    }
  }

  /** Things are as they will stay for a while: do `then`, and see how the files fit. */
  settle(then?: () => void): void {
    if (then) {
      this._then.push(then);
    }
    this._settling ??= setTimeout(() => {
      const all = this._then;
      this._settling = undefined;
      this._then = [];
      all.forEach(one => one());
      // While thousands come in, the server has better to do.
      if (!this._options.isBusy()) {
        this._check();
      }
    }, SETTLE);
    this._options.onChange();
  }

  fail(error: unknown): void {
    this.error = error;
    this._options.onChange();
  }

  private _onProgress(fileId: string, offset: number): void {
    if (this._options.isOurs(fileId, offset) || !Number.isFinite(offset)) {
      return;
    }
    const file = this.stock.withId(fileId);
    if (!file) {
      this.settle(() => void this.refresh());
    } else if (file.state === 'uploading') {
      this.stock.moved(file, offset);
      this._listening ??= setInterval(() => this._listen(), LISTEN);
      this._options.onProgress();
    }
  }

  private _listen(): void {
    if (!this.stock.listen()) {
      clearInterval(this._listening);
      this._listening = undefined;
    }
    this._options.onChange();
  }

  private _take(session: UploadSession): void {
    this.session = session;
    this.stock.reset(session.files);
    this._options.onFiles();
  }

  private _put(fileId: string, slot: string | null): Promise<void> {
    return this._each([fileId], async (id, sessionId) => {
      const file = await this._client.updateFile(sessionId, id, { slot });
      this.stock.merge([file]);
    });
  }

  /** Ask about several files, some at a time; that one is gone already is no fault. */
  private async _each(
    ids: ReadonlyArray<string>,
    ask: (id: string, sessionId: string) => Promise<void>
  ): Promise<void> {
    const rest = [...ids];
    const work = async () => {
      for (let id; (id = rest.shift()) !== undefined && this.session;) {
        try {
          await ask(id, this.session.session_id);
        } catch (error) {
          if (isGone(error)) {
            this.stock.remove([id]);
          } else {
            this.fail(error);
          }
        }
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, work));
  }

  /** Ask how the files fit the template; the latest answer wins. */
  private _check(): void {
    const { session, _templateId: templateId } = this;
    const turn = ++this._turn;
    if (!session || !templateId) {
      return;
    }
    this._client.validateSession(session.session_id, templateId).then(
      validation => {
        if (turn === this._turn) {
          this.validation = validation;
          this._options.onChange();
        }
      },
      () => {
        // The preview's own checks name the same faults.
      }
    );
  }

  private readonly _client: FilesSession.IClient;
  private _templateId: string | null = null;
  private _creating: Promise<UploadSession> | null = null;
  private _then: Array<() => void> = [];
  private _settling: ReturnType<typeof setTimeout> | undefined;
  private _listening: ReturnType<typeof setInterval> | undefined;
  private _turn = 0;
}

export namespace FilesSession {
  export type IClient = Pick<
    SlurmClient,
    | 'createSession'
    | 'getSession'
    | 'addPath'
    | 'updateFile'
    | 'deleteFile'
    | 'listArchive'
    | 'validateSession'
  >;
  export interface IOptions {
    client: IClient;
    now: () => number;
    /** So many files are on their way that looking at each change would hold them up. */
    isBusy: () => boolean;
    /** This page sends it and knows better how far it is. */
    isOurs: (fileId: string, offset: number) => boolean;
    /** The server told of files. */
    onFiles: () => void;
    onChange: () => void;
    /** Another page's upload has moved. */
    onProgress: () => void;
  }
}

function isNetwork(error: unknown): boolean {
  return error instanceof Problem && error.code === 'network';
}
