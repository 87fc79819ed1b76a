import type { IForm } from '../../api/formupload';
import { fingerprint } from '../../api/fingerprint';
import type { UploadedFile, UploadSession } from '../../api/types';
import type { IUpload, Uploader } from '../../api/uploader';
import { Problem } from '../../problem';
import { Forms, isSmall } from './filesforms';
import { Meter } from './filesmeter';
import type { ISending } from './filesrows';
import { Retry, isAway } from './filesretry';

/** Large files on their way at once; more would only share the same line. */
const PARALLEL = 3;

/** Forms on their way at once, so that the server writes one while the next comes. */
const FORMS = 2;

/** Refusals of a form that may be about one of its files; all others are about the whole. */
const ABOUT_ONE = [400, 409, 413, 415, 422];

/** One request, or one after the other, under way. */
interface IRun {
  items: ISending[];
  form: boolean;
  /** When it was last seen moving, and how far it was then; null before it moved. */
  movedAt: number;
  moved: number | null;
  /** Null until the session is there. */
  upload: IUpload | null;
}

/** What this page sends: which file next, how many at once, and what happens when it does not go through. */
export class SendQueue {
  constructor(private readonly _options: SendQueue.IOptions) {
    this._now = _options.now;
    this.meter = new Meter(this._now);
    this.retry = new Retry({
      now: this._now,
      random: _options.random,
      onRetry: () => this.wake(),
      onTick: (slept, silence) => this._watch(slept, silence)
    });
  }

  /** The speed of all together. */
  readonly meter: Meter;
  readonly retry: Retry;

  /** Key → file, in the order in which they came. */
  get items(): ReadonlyMap<string, ISending> {
    return this._items;
  }

  named(name: string): ISending | undefined {
    return this._names.get(name);
  }

  add(items: ReadonlyArray<ISending>): void {
    for (const item of items) {
      this._items.set(item.key, item);
      this._names.set(item.name, item);
    }
    this._pump();
  }

  pause(keys: Iterable<string>): void {
    const wanted = this._stop(keys);
    for (const item of wanted) {
      if (item.state !== 'complete' && item.state !== 'failed') {
        item.state = 'paused';
      }
    }
    this._pump();
  }

  resume(keys: Iterable<string>): void {
    for (const key of keys) {
      const item = this._items.get(key);
      if (item && (item.state === 'paused' || item.state === 'failed')) {
        item.state = 'queued';
        item.error = null;
      }
    }
    this._pump();
  }

  /** Let go of files, whatever their state. */
  drop(keys: Iterable<string>): void {
    for (const item of this._stop(keys)) {
      this._items.delete(item.key);
      if (this._names.get(item.name) === item) {
        this._names.delete(item.name);
      }
    }
    this._pump();
  }

  /** The line may be there again: go on now. `anew`: what hangs on the old line too. */
  wake(anew = false): void {
    this.retry.clear();
    for (const run of anew ? this._runs : []) {
      if (this._now() - run.movedAt > HANGS) {
        this._end(run);
        this._requeue(run.items);
      }
    }
    for (const item of this._items.values()) {
      if (item.state === 'waiting') {
        item.state = 'queued';
      }
    }
    this._pump();
  }

  /** Stop every request; the answer is what was asked for. */
  private _stop(keys: Iterable<string>): ISending[] {
    const wanted = [...keys]
      .map(key => this._items.get(key))
      .filter(item => item !== undefined);
    const set = new Set(wanted);
    for (const run of this._runs) {
      if (run.items.some(item => set.has(item))) {
        this._end(run);
        // The others of a form go with the next one.
        this._requeue(run.items);
      }
    }
    return wanted;
  }

  private _end(run: IRun): void {
    this._runs.delete(run);
    run.upload?.stop();
    for (const item of run.items) {
      item.meter.reset();
      if (run.form) {
        item.sent = 0;
      }
    }
  }

  private _requeue(items: ReadonlyArray<ISending>): void {
    for (const item of items) {
      if (item.state === 'uploading') {
        item.state = 'queued';
      }
    }
  }

  private _pump(): void {
    if (!this.retry.holding) {
      const runs = [...this._runs];
      let large = runs.filter(run => !run.form).length;
      let forms = runs.length - large;
      for (const item of this._items.values()) {
        if (large >= PARALLEL) {
          break;
        }
        if (item.state === 'queued' && !isSmall(item)) {
          large += 1;
          void this._start([item], false);
        }
      }
      for (; forms < FORMS; forms++) {
        const items = this._forms.next(this.meter.speed);
        if (!items.length) {
          break;
        }
        void this._start(items, true);
      }
    }
    this.retry.watch(this._runs.size > 0);
    this._options.onChange();
  }

  private async _start(items: ISending[], form: boolean): Promise<void> {
    const run: IRun = {
      items,
      form,
      movedAt: this._now(),
      // What the server has already of a file is not counted again.
      moved: items[0].fileId === null ? 0 : null,
      upload: null
    };
    this._runs.add(run);
    for (const item of items) {
      item.state = 'uploading';
      item.error = null;
    }
    try {
      const session = await this._options.session();
      if (!form && !items[0].fingerprint) {
        items[0].fingerprint = await fingerprint(items[0].file);
      }
      // Paused or taken out meanwhile.
      if (this._runs.has(run)) {
        run.upload = form
          ? this._sendForm(run, session)
          : this._sendOne(run, session);
      }
    } catch (error) {
      this._failed(run, asProblem(error));
    }
  }

  private _sendOne(run: IRun, session: UploadSession): IUpload {
    const item = run.items[0];
    const slot = item.slot;
    return this._options.uploader.send(item.file, {
      tusUrl: session.tus_url,
      name: item.name,
      slot,
      replace: item.replace,
      fingerprint: item.fingerprint,
      fileId: item.fileId,
      onCreated: fileId => {
        item.fileId = fileId;
        this._options.onCreated(item, item.slot !== slot);
      },
      onProgress: sent => {
        item.sent = sent;
        item.meter.add(sent);
        this._moved(run, sent);
      },
      onDone: () => {
        this._moved(run, item.file.size);
        this._runs.delete(run);
        item.state = 'complete';
        item.sent = item.file.size;
        this._options.onDone([item], []);
        this._pump();
      },
      onError: problem => this._failed(run, problem)
    });
  }

  private _sendForm(run: IRun, session: UploadSession): IUpload {
    const { items } = run;
    const { slot, replace } = items[0];
    const form: IForm = { files: items, slot, replace };
    return this._options.uploader.sendForm(form, {
      sessionId: session.session_id,
      onProgress: sent => {
        let left = sent;
        for (const item of items) {
          item.sent = Math.min(item.file.size, Math.max(0, left));
          left -= item.file.size;
        }
        this._moved(run, sent);
      },
      onDone: files => {
        this._runs.delete(run);
        this.retry.succeeded();
        items.forEach((item, at) => {
          item.state = 'complete';
          item.sent = item.file.size;
          item.fileId = files[at]?.file_id ?? null;
        });
        this._options.onDone(items, files);
        for (const item of items.filter(other => other.slot !== slot)) {
          this._options.onCreated(item, true);
        }
        this.drop(items.map(({ key }) => key));
      },
      onError: problem => this._failed(run, problem)
    });
  }

  private _moved(run: IRun, sent: number): void {
    run.movedAt = this._now();
    this.retry.succeeded();
    this._gone += Math.max(0, sent - (run.moved ?? sent));
    run.moved = sent;
    this.meter.add(this._gone);
    this._options.onProgress();
  }

  private _failed(run: IRun, problem: Problem): void {
    if (!this._runs.has(run)) {
      return;
    }
    this._end(run);
    const { items } = run;
    const busy = problem.status === 409 && items[0].fileId !== null;
    if (isAway(problem) || (busy && this.retry.attempt < BUSY_TRIES)) {
      items.forEach(item => (item.state = 'waiting'));
      // A speed from before the line was cut says nothing any more.
      this.meter.reset();
      this.retry.hold(problem);
    } else if (
      run.form &&
      run.upload &&
      items.length > 1 &&
      (ABOUT_ONE.includes(problem.status) || problem.code === 'unreadable')
    ) {
      this._requeue(items);
      this._forms.halve(items);
    } else {
      for (const item of items) {
        item.state = 'failed';
        item.error = problem;
        item.fileId = isGone(problem) ? null : item.fileId;
      }
      this._options.onRefused(items, problem);
    }
    this._pump();
  }

  /** Requests that have not moved for long, or were under way when the lid was closed, are made anew. */
  private _watch(slept: boolean, silence: number): void {
    const now = this._now();
    for (const run of this._runs) {
      if (slept) {
        this._end(run);
        this._requeue(run.items);
      } else if (now - run.movedAt > silence) {
        this._failed(run, new Problem({ code: 'network' }));
      }
    }
    this._pump();
  }

  private readonly _now: () => number;
  private readonly _items = new Map<string, ISending>();
  private readonly _names = new Map<string, ISending>();
  private readonly _runs = new Set<IRun>();
  private readonly _forms = new Forms(this._items);
  /** Bytes that have left this page since it was loaded. */
  private _gone = 0;
}

export namespace SendQueue {
  export interface IOptions {
    uploader: Pick<Uploader, 'send' | 'sendForm'>;
    now: () => number;
    /** From 0 to 1; spreads the tries of many pages. */
    random: () => number;
    /** The session, made when there is none. */
    session: () => Promise<UploadSession>;
    /** Files were added, stopped, started, or changed their state. */
    onChange: () => void;
    /** Bytes have gone. */
    onProgress: () => void;
    /** The server knows the file; `changed`: it was given another slot meanwhile. */
    onCreated: (item: ISending, changed: boolean) => void;
    /** Files are on the server; what it said of them, where it said it. */
    onDone: (items: ISending[], files: UploadedFile[]) => void;
    /** The server said no. */
    onRefused: (items: ISending[], problem: Problem) => void;
  }
}

/** Milliseconds without a byte after which a request hangs on a line that is gone. */
const HANGS = 5000;

/** Tries while another connection still holds the file. */
const BUSY_TRIES = 8;

/** The session or the upload is not there any more. */
export function isGone(error: unknown): boolean {
  return (
    error instanceof Problem && (error.status === 404 || error.status === 410)
  );
}

function asProblem(error: unknown): Problem {
  return error instanceof Problem
    ? error
    : new Problem({ code: 'unreadable', detail: String(error) });
}
