import type { ISlurmEvent } from '../../api/events';
import type {
  ArchiveListing,
  FileValidation,
  UploadedFile,
  UploadSession
} from '../../api/types';
import type { Uploader } from '../../api/uploader';
import { Observable } from '../../observable';
import type { Problem } from '../../problem';
import { named, type IPicked } from './filesdrop';
import { Drops } from './filesdrops';
import { Intake } from './filesintake';
import { isGone, SendQueue } from './filesqueue';
import {
  rowsOf,
  totalsOf,
  type IFileRow,
  type ISending,
  type ITotals
} from './filesrows';
import { FilesSession } from './filessession';

/** Milliseconds between two drawings of what only moves. */
const DRAW = 200;

/** Files on their way from which on they are looked at together, at the end. */
const MANY = 500;

/** Bytes that the server may still get of a request that was stopped. */
const UNDER_WAY = 1024 * 1024;

/** The files of the draft: an upload session, and what this page sends to it. */
export class FilesModel extends Observable {
  constructor(options: FilesModel.IOptions) {
    super();
    const { client, uploader, newKey, now = Date.now } = options;
    this._remote = new FilesSession({
      client,
      now,
      isBusy: () => this._busy,
      isOurs: (fileId, offset) => this._isOurs(fileId, offset),
      onFiles: () => this._handOver(),
      onChange: () => this._redraw(),
      onProgress: () => this._draw()
    });
    const session = () => this._remote.ensure();
    this.queue = new SendQueue({
      uploader,
      session,
      now,
      random: options.random ?? Math.random,
      onChange: () => this._redraw(),
      onProgress: () => this._draw(),
      onCreated: (item, changed) => this._onCreated(item, changed),
      onDone: (items, files) => this._onDone(items, files),
      onRefused: (_, problem) => this._onRefused(problem)
    });
    this.intake = new Intake({
      client,
      uploader,
      session,
      begun: () => this.rows.filter(({ state }) => state === 'interrupted'),
      sending: name => {
        const item = this.queue.named(name);
        return item && { ...item, size: item.file.size };
      },
      isTaken: name =>
        Boolean(this.queue.named(name) ?? this._remote.stock.named(name)),
      onChange: () => this.notify()
    });
    this._drops = new Drops({
      intake: this.intake,
      queue: this.queue,
      remote: this._remote,
      newKey,
      now,
      rows: () => this.rows,
      remove: keys => this.remove(keys),
      setSlot: (key, slot) => this.setSlot(key, slot),
      onKey: (fileId, key) => this._keys.set(fileId, key),
      onChange: () => this.notify()
    });
  }

  readonly queue: SendQueue;
  readonly intake: Intake;
  /** Lets the user choose files of the cluster; set by the plugin that knows JupyterLab's file browser. */
  chooser: (() => Promise<string[]>) | null = null;

  get session(): UploadSession | null {
    return this._remote.session;
  }

  get sessionId(): string | null {
    return this.session?.session_id ?? null;
  }

  get validation(): FileValidation | null {
    return this._remote.check.validation;
  }

  /** What went wrong with the session itself, or with the last path. */
  get error(): unknown {
    return this._remote.error ?? this._remote.problem;
  }

  /** Drops that are being read and looked at, before their first byte. */
  get looking(): number {
    return this._drops.looking;
  }

  /** Files of the last drop that were there already. */
  get already(): number {
    return this._drops.already;
  }

  /** Files this page still sends, or is about to. */
  get pending(): number {
    return this.looking + this.totals.moving;
  }

  get rows(): ReadonlyArray<IFileRow> {
    this._rows ??= rowsOf(this._remote.stock, this.queue, this._keys);
    return this._rows;
  }

  get totals(): ITotals {
    this._totals ??= totalsOf(this.rows);
    return this._totals;
  }

  /** Changes only when what the job would get changes, not with every byte. */
  get signature(): string {
    const { sessionId, validation, pending } = this;
    const { revision } = this._remote.stock;
    const now = this._busy ? [] : [revision, pending];
    return JSON.stringify([sessionId, validation?.slots, ...now]);
  }

  /** The template whose slots the files are checked against. */
  setTemplate(id: string | null): void {
    if (id !== this._remote.check.templateId) {
      this._remote.check.templateId = id;
      this.notify();
    }
  }

  /**
   * Take up a session of before the reload; a session that is gone is forgotten.
   *
   * False when the server could not be asked: the session may still be there, and is asked for again before anything
   * is sent.
   */
  async restore(sessionId: string): Promise<boolean> {
    if (this.session && this.sessionId !== sessionId) {
      // What is under way to the other one would be shown as if it were in this one.
      this.clear();
    }
    const known = await this._remote.restore(sessionId);
    this._redraw();
    return known;
  }

  /** Send files; a slot is for the first of them. */
  add(files: ReadonlyArray<File>, slot?: string): Promise<void> {
    return this.take(Promise.resolve(named(files)), slot);
  }

  /** Send what was picked, once it has been read and nothing stands in its way. */
  take(picking: Promise<ReadonlyArray<IPicked>>, slot?: string): Promise<void> {
    return this._drops.take(picking, slot);
  }

  /** Name files that are on the cluster already; nothing is copied. The answer: could all be taken? */
  addPaths(paths: ReadonlyArray<string>, slot?: string): Promise<boolean> {
    this._remote.error = null;
    return this._remote.edits.addPaths(paths, slot);
  }

  addPath(path: string, slot?: string): Promise<boolean> {
    return this.addPaths([path], slot);
  }

  /** Stop what this page sends; what has arrived stays. */
  pause(keys: Iterable<string> = this.queue.items.keys()): void {
    this.queue.pause([...keys]);
  }

  /** Go on with what was stopped, and try again what failed. */
  resume(keys: Iterable<string> = this.queue.items.keys()): void {
    this.queue.resume([...keys]);
  }

  /** Take files out; an upload under way is stopped and its space freed. */
  async remove(keys: ReadonlyArray<string>): Promise<void> {
    const wanted = new Set(keys);
    const rows = this.rows.filter(({ key }) => wanted.has(key));
    const begun = rows.filter(
      ({ local, fileId, state }) => local && !fileId && state === 'uploading'
    );
    this.queue.drop(keys);
    let ids = rows.flatMap(({ fileId }) => fileId ?? []);
    if (begun.length) {
      // The server may have begun them, and its answer has not come.
      await this._remote.refresh();
      const { stock } = this._remote;
      ids = ids.concat(
        begun.flatMap(({ name }) => stock.named(name)?.file_id ?? [])
      );
    }
    await this._remote.edits.remove(ids);
  }

  /** Put a file into a slot, or into none. What stood there makes room. */
  async setSlot(key: string, slot: string | null): Promise<void> {
    const row = this.rows.find(other => other.key === key);
    const item = this.queue.items.get(key);
    if (item) {
      item.slot = slot ?? undefined;
    }
    if (row?.fileId) {
      await this._remote.edits.setSlot(row.fileId, slot);
    } else {
      await this._remote.edits.clearSlot(slot ?? undefined);
    }
    this._redraw();
  }

  /** What an archive holds, its first entries; nothing is unpacked. */
  contents(fileId: string): Promise<ArchiveListing> {
    return this._remote.contents(fileId);
  }

  /** Ask the server how the session stands. */
  refresh(): Promise<void> {
    return this._remote.refresh();
  }

  /** The line may be there again, or the user has signed in. */
  wake(): void {
    this.queue.wake(true);
  }

  /** Leave the session behind; a new one begins with the next file. */
  clear(): void {
    this._drops.clear();
    this.queue.drop([...this.queue.items.keys()]);
    this._remote.leave();
    this._redraw();
  }

  /** What happened to this session's files, here or in another tab. */
  onEvent(event: ISlurmEvent): void {
    if (
      event.channel === 'uploads' &&
      this.session &&
      event.session_id === this.session.session_id
    ) {
      this._remote.onEvent(event);
    }
  }

  /** Sent by this page, or still on its way from before it was stopped here. */
  private _isOurs(fileId: string, offset: number): boolean {
    const item = this.queue.items.get(this._keys.get(fileId) ?? '');
    return (
      item !== undefined &&
      (item.state === 'uploading' || offset <= item.sent + UNDER_WAY)
    );
  }

  private get _busy(): boolean {
    return this.totals.moving > MANY;
  }

  private _onCreated(item: ISending, changed: boolean): void {
    if (item.fileId) {
      this._keys.set(item.fileId, item.key);
      if (changed) {
        void this._remote.edits.setSlot(item.fileId, item.slot ?? null);
      }
    }
    this._redraw();
  }

  private _onDone(items: ISending[], files: UploadedFile[]): void {
    files.forEach((file, at) => {
      this._keys.set(file.file_id, items[at]?.key ?? file.file_id);
    });
    if (files.length) {
      this._remote.stock.merge(files);
    }
    this._handOver();
    this._remote.settle(() => {
      // The event that tells of it may have been lost with the connection.
      if ([...this.queue.items.values()].some(isComplete)) {
        void this.refresh();
      }
    });
  }

  private _onRefused(problem: Problem): void {
    if (isGone(problem)) {
      void this.refresh();
    }
  }

  /** What the server has complete is its business from now on. */
  private _handOver(): void {
    const { stock } = this._remote;
    const keys = [...this.queue.items.values()]
      .filter(
        item =>
          // One that is stopped here may have been brought to its end elsewhere.
          item.state !== 'uploading' &&
          stock.withId(item.fileId ?? '')?.state === 'complete'
      )
      .map(({ key }) => key);
    if (keys.length) {
      this.queue.drop(keys);
    }
  }

  private _redraw(): void {
    this._rows = null;
    this._totals = null;
    this.notify();
  }

  /** Show what has moved, a few times a second. */
  private _draw(): void {
    this._drawing ??= setTimeout(() => {
      this._drawing = undefined;
      this._redraw();
    }, DRAW);
  }

  private readonly _remote: FilesSession;
  private readonly _drops: Drops;
  /** The server's id → the row's key, so that a row stays itself. */
  private readonly _keys = new Map<string, string>();
  private _rows: ReadonlyArray<IFileRow> | null = null;
  private _totals: ITotals | null = null;
  private _drawing: ReturnType<typeof setTimeout> | undefined;
}

export namespace FilesModel {
  export type IClient = FilesSession.IClient & Intake.IOptions['client'];
  export interface IOptions {
    client: IClient;
    uploader: Pick<Uploader, 'send' | 'sendForm' | 'look'>;
    newKey: () => string;
    now?: () => number;
    random?: () => number;
  }
}

function isComplete({ state }: ISending): boolean {
  return state === 'complete';
}
