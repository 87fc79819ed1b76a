import type { SlurmClient } from '../../api/client';
import type { ISlurmEvent } from '../../api/events';
import type {
  ArchiveListing,
  UploadedFile,
  UploadSession
} from '../../api/types';
import { Problem } from '../../problem';
import { FilesCheck } from './filescheck';
import { DraftSession } from './filesdraft';
import { FilesEdits } from './filesedits';
import { isGone } from './filesqueue';
import { FilesStock } from './filesstock';

/** Milliseconds that several changes may take to become one question to the server. */
const SETTLE = 150;

/** Milliseconds between two looks at whether another page still sends. */
const LISTEN = 2000;

/** Entries of an archive that are shown. */
const ENTRIES = 200;

/** The upload session as the server has it, and what is heard of it. */
export class FilesSession {
  constructor(private readonly _options: FilesSession.IOptions) {
    this._client = _options.client;
    this.stock = new FilesStock(_options.now);
    this._draft = this._newDraft();
    this.check = new FilesCheck({
      client: this._client,
      session: () => this.session,
      onChange: () => _options.onChange()
    });
    this.edits = new FilesEdits({
      client: this._client,
      stock: this.stock,
      draft: () => this._draft,
      onEdited: () => this.settle(),
      onError: error => this.fail(error)
    });
  }

  readonly stock: FilesStock;
  readonly check: FilesCheck;
  readonly edits: FilesEdits;
  /** What went wrong last. */
  error: unknown = null;

  get session(): UploadSession | null {
    return this._draft.session;
  }

  /** Why it is not known what the session of before the reload holds; null when it is known. */
  get problem(): unknown {
    return this._draft.problem;
  }

  /** The session, made when there is none. Rejects when there can be none now, or the draft was left meanwhile. */
  ensure(): Promise<UploadSession> {
    return this._draft.ensure();
  }

  /** Take up a session; false when the server could not be asked whether it is there. */
  restore(sessionId: string): Promise<boolean> {
    return this._draft.restore(sessionId);
  }

  /** Ask how the session stands. */
  async refresh(): Promise<void> {
    const draft = this._draft;
    const id = draft.session?.session_id;
    if (id === undefined) {
      await draft.retry();
      return;
    }
    try {
      const session = await this._client.getSession(id);
      if (!draft.isOn(id)) {
        return;
      }
      draft.session = session;
      this._found(session);
      if (isNetwork(this.error)) {
        this.error = null;
      }
    } catch (error) {
      if (!draft.isOn(id)) {
        return;
      }
      if (isGone(error)) {
        this.leave();
      }
      this.error = error;
    }
    this._options.onChange();
  }

  /** Forget the session, and what is still asked about it; a new one is made when it is needed. */
  leave(): void {
    this._draft.leave();
    this._draft = this._newDraft();
    this.check.clear();
    this.error = null;
    this.stock.reset([]);
  }

  /** What an archive holds, its first entries. Rejects when the server cannot say. */
  contents(fileId: string): Promise<ArchiveListing> {
    return this._client.listArchive(
      this.session?.session_id ?? '',
      fileId,
      ENTRIES
    );
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
        this.check.run();
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

  private _newDraft(): DraftSession {
    return new DraftSession({
      client: this._client,
      create: () => this._client.createSession(this.check.templateId),
      onFound: session => this._found(session),
      onChange: () => this._options.onChange()
    });
  }

  private _found(session: UploadSession): void {
    this.stock.reset(session.files);
    this._options.onFiles();
    this.check.run();
  }

  private readonly _client: FilesSession.IClient;
  /** Another one after each leaving. */
  private _draft: DraftSession;
  private _then: Array<() => void> = [];
  private _settling: ReturnType<typeof setTimeout> | undefined;
  private _listening: ReturnType<typeof setInterval> | undefined;
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
