import type { SlurmClient } from '../../api/client';
import type { ISlurmEvent } from '../../api/events';
import type {
  FileValidation,
  UploadedFile,
  UploadSession
} from '../../api/types';
import type { IUpload, Uploader } from '../../api/uploader';
import { Observable } from '../../observable';
import { Problem } from '../../problem';

/** Uploads under way at once; more would only share the same line. */
const PARALLEL = 3;

/** Milliseconds that several changes may take to become one question to the server. */
const SETTLE = 150;

/** Milliseconds between two measurements of speed. */
const MEASURE = 250;

export type FileState =
  | 'queued'
  | 'uploading'
  | 'paused'
  | 'complete'
  | 'failed'
  /** The server has a part of it, and this page does not hold the file. */
  | 'interrupted';

/** One file of the job, wherever its bytes are. */
export interface IFileRow {
  key: string;
  name: string;
  slot: string | null;
  state: FileState;
  origin: 'upload' | 'path';
  path: string | null;
  /** Bytes; null while not known. */
  size: number | null;
  sent: number;
  /** Bytes per second, 0 while not known. */
  speed: number;
  error: unknown;
  /** This page sends it. */
  local: boolean;
}

interface ILocal {
  key: string;
  file: File;
  slot: string | undefined;
  fileId: string | null;
  state: FileState;
  sent: number;
  speed: number;
  measured: { at: number; sent: number } | null;
  error: unknown;
  upload: IUpload | null;
}

/** The files of the draft: an upload session, and what this page sends to it. */
export class FilesModel extends Observable {
  constructor(options: FilesModel.IOptions) {
    super();
    this._client = options.client;
    this._uploader = options.uploader;
    this._now = options.now ?? Date.now;
    this._newKey = options.newKey;
  }

  session: UploadSession | null = null;
  validation: FileValidation | null = null;
  /** What went wrong with the session itself, or with the last path. */
  error: unknown = null;

  get sessionId(): string | null {
    return this.session?.session_id ?? null;
  }

  /** Files this page still sends, or is about to. */
  get pending(): number {
    return this._locals.filter(
      ({ state }) => state === 'queued' || state === 'uploading'
    ).length;
  }

  get paused(): number {
    return this.rows.filter(
      ({ state }) => state === 'paused' || state === 'interrupted'
    ).length;
  }

  get rows(): IFileRow[] {
    const mine = new Set(this._locals.map(local => local.fileId));
    const names = new Set(this._locals.map(local => local.file.name));
    const others = (this.session?.files ?? []).filter(
      file => !mine.has(file.file_id) && !names.has(file.name)
    );
    return [...others.map(rowOfServer), ...this._locals.map(rowOfLocal)];
  }

  /** Changes only when what the job would get changes, not with every byte. */
  get signature(): string {
    const { session, validation } = this;
    return JSON.stringify([
      session?.session_id,
      session?.files.map(file => [file.file_id, file.slot, file.state]),
      validation?.slots,
      this.pending
    ]);
  }

  /** The template whose slots the files are checked against. */
  setTemplate(id: string | null): void {
    if (id !== this._templateId) {
      this._templateId = id;
      this.validation = null;
      this._check();
      this.notify();
    }
  }

  /**
   * Take up a session of before the reload; a session that is gone is forgotten.
   *
   * False when the server could not be asked: the session may still be there.
   */
  async restore(sessionId: string): Promise<boolean> {
    let known = true;
    try {
      this.session = await this._client.getSession(sessionId);
      this._check();
    } catch (error) {
      known = isGone(error);
      this.error = known ? null : error;
    }
    this.notify();
    return known;
  }

  /** Send files; one of a name that is there already replaces it. */
  async add(files: ReadonlyArray<File>, slot?: string): Promise<void> {
    this.error = null;
    for (const file of files) {
      await this._forget(file.name);
      this._locals = [
        ...this._locals,
        {
          key: this._newKey(),
          file,
          slot,
          fileId: null,
          state: 'queued',
          sent: 0,
          speed: 0,
          measured: null,
          error: null,
          upload: null
        }
      ];
    }
    this.notify();
    await this._pump();
  }

  /** Name a file that is on the cluster already; nothing is copied. */
  async addPath(path: string, slot?: string): Promise<boolean> {
    this.error = null;
    try {
      const session = await this._ensureSession();
      await this._client.addPath(session.session_id, path, slot);
      await this.refresh();
      return true;
    } catch (error) {
      this._fail(error);
      return false;
    }
  }

  async pause(key: string): Promise<void> {
    const local = this._local(key);
    if (local) {
      local.state = 'paused';
      local.speed = 0;
      this.notify();
      await local.upload?.pause();
      await this._pump();
    }
  }

  async resume(key: string): Promise<void> {
    const local = this._local(key);
    if (local) {
      local.state = 'queued';
      local.error = null;
      this.notify();
      await this._pump();
    }
  }

  /** Take a file out; an upload under way is stopped and its space freed. */
  async remove(key: string): Promise<void> {
    const row = this.rows.find(other => other.key === key);
    if (row) {
      await this._forget(row.name, false);
      await this.refresh();
      await this._pump();
    }
  }

  async setSlot(key: string, slot: string | null): Promise<void> {
    const local = this._local(key);
    if (local) {
      local.slot = slot ?? undefined;
    }
    const fileId = local ? local.fileId : key;
    if (fileId && this.session) {
      try {
        await this._client.updateFile(this.session.session_id, fileId, {
          slot
        });
        await this.refresh();
      } catch (error) {
        this._fail(error);
      }
    }
    this.notify();
  }

  /** Ask the server how the session stands. */
  async refresh(): Promise<void> {
    if (!this.session) {
      return;
    }
    try {
      this.session = await this._client.getSession(this.session.session_id);
      const there = new Map(
        this.session.files.map(file => [file.file_id, file])
      );
      // What the server has complete is its business from now on.
      this._locals = this._locals.filter(
        local =>
          local.state !== 'complete' ||
          !local.fileId ||
          there.get(local.fileId)?.state === 'uploading'
      );
      this._check();
    } catch (error) {
      if (isGone(error)) {
        this.session = null;
        this.validation = null;
      }
      this._fail(error);
    }
    this.notify();
  }

  /** Leave the session behind; a new one begins with the next file. */
  clear(): void {
    for (const local of this._locals) {
      void local.upload?.pause();
    }
    this._locals = [];
    this.session = null;
    this.validation = null;
    this.error = null;
    this.notify();
  }

  /** What happened to this session's files, here or in another tab. */
  onEvent(event: ISlurmEvent): void {
    if (
      event.channel !== 'uploads' ||
      !this.session ||
      event.session_id !== this.session.session_id
    ) {
      return;
    }
    if (event.type !== 'upload_progress') {
      this._settle(() => void this.refresh());
      return;
    }
    const file = this.session.files.find(
      other => other.name === event.file_name
    );
    if (file && typeof event.uploaded_bytes === 'number') {
      file.offset = event.uploaded_bytes;
      this.notify();
    }
  }

  private async _ensureSession(): Promise<UploadSession> {
    if (this.session) {
      return this.session;
    }
    // Several files dropped at once ask for one session.
    this._creating ??= this._client
      .createSession(this._templateId)
      .finally(() => {
        this._creating = null;
      });
    this.session = await this._creating;
    this.notify();
    return this.session;
  }

  private async _pump(): Promise<void> {
    const busy = this._locals.filter(({ state }) => state === 'uploading');
    const next = this._locals
      .filter(({ state }) => state === 'queued')
      .slice(0, Math.max(0, PARALLEL - busy.length));
    for (const local of next) {
      local.state = 'uploading';
    }
    this.notify();
    await Promise.all(next.map(local => this._send(local)));
  }

  private async _send(local: ILocal): Promise<void> {
    try {
      const session = await this._ensureSession();
      local.upload ??= this._uploader.create(local.file, {
        sessionId: session.session_id,
        tusUrl: session.tus_url,
        slot: local.slot,
        onCreated: fileId => {
          local.fileId = fileId;
          this.notify();
        },
        onProgress: sent => this._measure(local, sent),
        onDone: () => {
          local.state = 'complete';
          local.sent = local.file.size;
          this._settle(() => void this.refresh());
          void this._pump();
        },
        onError: problem => {
          local.state = 'failed';
          local.error = problem;
          local.upload = null;
          if (isGone(problem)) {
            void this.refresh();
          }
          this.notify();
          void this._pump();
        }
      });
      // Paused or taken out while the session was made.
      if (local.state === 'uploading') {
        await local.upload.start();
      }
    } catch (error) {
      local.state = 'failed';
      local.error = error;
      this.notify();
    }
  }

  private _measure(local: ILocal, sent: number): void {
    const at = this._now();
    const last = local.measured;
    local.sent = sent;
    if (!last || sent < last.sent) {
      local.measured = { at, sent };
    } else if (at - last.at >= MEASURE) {
      const speed = ((sent - last.sent) * 1000) / (at - last.at);
      // Smoothed, so that the time left can be read.
      local.speed = local.speed ? local.speed * 0.7 + speed * 0.3 : speed;
      local.measured = { at, sent };
    } else {
      return;
    }
    this.notify();
  }

  /** Make room for a file of this name. An upload that can go on from where it stands is left to do so. */
  private async _forget(name: string, mayResume = true): Promise<void> {
    const local = this._locals.find(({ file }) => file.name === name);
    if (local) {
      this._locals = this._locals.filter(other => other !== local);
      if (local.state !== 'complete') {
        await local.upload?.cancel().catch(() => undefined);
      }
    }
    const there = this.session?.files.find(file => file.name === name);
    if (this.session && there && !(mayResume && there.state === 'uploading')) {
      try {
        await this._client.deleteFile(this.session.session_id, there.file_id);
      } catch (error) {
        if (!isGone(error)) {
          this._fail(error);
          return;
        }
      }
      this.session = {
        ...this.session,
        files: this.session.files.filter(file => file !== there)
      };
    }
    this.notify();
  }

  private _local(key: string): ILocal | undefined {
    return this._locals.find(local => local.key === key);
  }

  private _fail(error: unknown): void {
    this.error = error;
    this.notify();
  }

  private _settle(then: () => void): void {
    clearTimeout(this._settling);
    this._settling = setTimeout(then, SETTLE);
    this.notify();
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
          this.notify();
        }
      },
      () => {
        // The preview's own checks name the same faults.
      }
    );
  }

  private readonly _client: FilesModel.IClient;
  private readonly _uploader: Pick<Uploader, 'create'>;
  private readonly _now: () => number;
  private readonly _newKey: () => string;
  private _locals: ILocal[] = [];
  private _templateId: string | null = null;
  private _creating: Promise<UploadSession> | null = null;
  private _settling: ReturnType<typeof setTimeout> | undefined;
  private _turn = 0;
}

export namespace FilesModel {
  export type IClient = Pick<
    SlurmClient,
    | 'createSession'
    | 'getSession'
    | 'addPath'
    | 'updateFile'
    | 'deleteFile'
    | 'validateSession'
  >;
  export interface IOptions {
    client: IClient;
    uploader: Pick<Uploader, 'create'>;
    newKey: () => string;
    now?: () => number;
  }
}

function rowOfServer(file: UploadedFile): IFileRow {
  return {
    key: file.file_id,
    name: file.name,
    slot: file.slot,
    state:
      file.state === 'complete'
        ? 'complete'
        : file.state === 'failed'
          ? 'failed'
          : 'interrupted',
    origin: file.origin,
    path: file.path ?? null,
    size: file.size,
    sent: file.offset,
    speed: 0,
    error: file.problem ? new Error(file.problem) : null,
    local: false
  };
}

function rowOfLocal(local: ILocal): IFileRow {
  return {
    key: local.key,
    name: local.file.name,
    slot: local.slot ?? null,
    state: local.state,
    origin: 'upload',
    path: null,
    size: local.file.size,
    sent: local.sent,
    speed: local.speed,
    error: local.error,
    local: true
  };
}

function isGone(error: unknown): boolean {
  return (
    error instanceof Problem && (error.status === 404 || error.status === 410)
  );
}
