import type { SlurmClient } from '../../api/client';
import type { Job, JobFileList } from '../../api/types';
import { Observable } from '../../observable';
import { LogBuffer } from './logbuffer';
import { isEnded, type IJobRow } from './model';

export type Stream = 'out' | 'err';

/** Bytes from the end that are shown at first; a long log is not read from its beginning. */
const TAIL = 512 * 1024;

/** Bytes asked for at once while following. */
const PIECE = 512 * 1024;

/** Milliseconds between looks at a log that grows. */
const FOLLOW = 1000;

/** Milliseconds between looks at a job that waits. */
const IDLE = 3000;

/** One stream of a job's output, as far as it was read. */
export interface ILog {
  buffer: LogBuffer;
  /** Bytes before the first one shown. */
  skipped: number;
  nextOffset: number | null;
  size: number;
  complete: boolean;
  error: unknown;
}

/** One job: its state, its log as it grows, its files and its script. */
export class JobModel extends Observable {
  constructor(options: JobModel.IOptions) {
    super();
    this.id = options.id;
    this._client = options.client;
    this._now = options.now ?? Date.now;
  }

  readonly id: string;
  row: IJobRow | null = null;
  error: unknown = null;
  stream: Stream = 'out';
  readonly logs: Record<Stream, ILog> = { out: newLog(), err: newLog() };
  files: JobFileList | null = null;
  filesError: unknown = null;
  script: string | null = null;
  scriptError: unknown = null;
  cancelling = false;

  get log(): ILog {
    return this.logs[this.stream];
  }

  get ended(): boolean {
    return this.row !== null && isEnded(this.row.job);
  }

  /** A newer state, from the list or an event. */
  put(job: Job): void {
    const wasEnded = this.ended;
    this.row = { job, heardAt: this._now() };
    if (isEnded(job)) {
      this.cancelling = false;
      if (!wasEnded && this.files) {
        void this.loadFiles();
      }
    }
    this.notify();
  }

  async refresh(): Promise<void> {
    try {
      this.put(await this._client.getJob(this.id));
      this.error = null;
    } catch (error) {
      this.error = error;
      this.notify();
    }
  }

  setStream(stream: Stream): void {
    this.stream = stream;
    this.notify();
    this._hurry();
  }

  /** Read the log as it grows for as long as someone looks. */
  follow(visible: boolean): void {
    this._visible = visible;
    if (visible) {
      this._hurry();
    } else {
      clearTimeout(this._timer);
      this._timer = undefined;
    }
  }

  async loadFiles(): Promise<void> {
    try {
      this.files = await this._client.listJobFiles(this.id);
      this.filesError = null;
    } catch (error) {
      this.filesError = error;
    }
    this.notify();
  }

  async loadScript(): Promise<void> {
    if (this.script !== null) {
      return;
    }
    try {
      this.script = await this._client.getJobScript(this.id);
      this.scriptError = null;
    } catch (error) {
      this.scriptError = error;
    }
    this.notify();
  }

  readFile(path: string): Promise<Blob> {
    return this._client.readJobFile(this.id, path);
  }

  async cancel(): Promise<void> {
    this.cancelling = true;
    this.notify();
    try {
      this.put(await this._client.cancelJob(this.id));
      this.error = null;
    } catch (error) {
      this.cancelling = false;
      this.error = error;
      this.notify();
    }
  }

  override dispose(): void {
    this.follow(false);
    super.dispose();
  }

  /** One look at the log; public for tests. */
  async readOn(): Promise<void> {
    const log = this.log;
    const stream = this.stream;
    try {
      const piece = await this._client.readLog(
        this.id,
        stream,
        log.nextOffset ?? -TAIL,
        PIECE
      );
      if (log.nextOffset === null) {
        log.skipped = piece.offset;
      } else if (piece.offset < log.nextOffset) {
        // The job was started again and its log with it.
        log.buffer = new LogBuffer();
        log.skipped = 0;
      }
      const before = log.nextOffset === null;
      log.buffer.append(piece.text);
      log.nextOffset = piece.next_offset;
      log.size = piece.size;
      const changed =
        before ||
        piece.text !== '' ||
        log.complete !== piece.complete ||
        log.error !== null;
      log.complete = piece.complete;
      log.error = null;
      if (changed) {
        this.notify();
      }
    } catch (error) {
      log.error = error;
      this.notify();
    }
  }

  private _hurry(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
    if (!this._busy) {
      void this._loop();
    }
  }

  private async _loop(): Promise<void> {
    this._busy = true;
    try {
      if (this.row === null) {
        await this.refresh();
      }
      const stream = this.stream;
      if (!this.log.complete) {
        await this.readOn();
      }
      if (!this._visible || this.isDisposed) {
        return;
      }
      const { log } = this;
      const behind = log.nextOffset !== null && log.nextOffset < log.size;
      if (log.complete && stream === this.stream) {
        return;
      }
      const wait =
        stream !== this.stream || (behind && !log.error)
          ? 0
          : this.row?.job.state === 'PENDING'
            ? IDLE
            : FOLLOW;
      clearTimeout(this._timer);
      this._timer = setTimeout(() => this._hurry(), wait);
    } finally {
      this._busy = false;
    }
  }

  private readonly _client: JobModel.IClient;
  private readonly _now: () => number;
  private _visible = false;
  private _busy = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

export namespace JobModel {
  export type IClient = Pick<
    SlurmClient,
    | 'getJob'
    | 'cancelJob'
    | 'readLog'
    | 'listJobFiles'
    | 'getJobScript'
    | 'readJobFile'
  >;
  export interface IOptions {
    id: string;
    client: IClient;
    now?: () => number;
  }
}

function newLog(): ILog {
  return {
    buffer: new LogBuffer(),
    skipped: 0,
    nextOffset: null,
    size: 0,
    complete: false,
    error: null
  };
}
