import { Signal, type ISignal } from '@lumino/signaling';

import type { SlurmClient } from '../../api/client';
import type { ISlurmEvent } from '../../api/events';
import type { Job } from '../../api/types';
import { Observable } from '../../observable';

/** States in which nothing happens any more. */
const FINAL = new Set([
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TIMEOUT',
  'OUT_OF_MEMORY',
  'NODE_FAIL',
  'PREEMPTED',
  'BOOT_FAIL',
  'DEADLINE'
]);

/** Milliseconds between looks while the WebSocket is down. */
const POLL = 10_000;

/** A job and when we heard of it, for clocks that go on by themselves. */
export interface IJobRow {
  job: Job;
  /** Milliseconds since the epoch, by this browser's clock. */
  heardAt: number;
}

/** The user's jobs, newest first. */
export class JobsModel extends Observable {
  constructor(options: JobsModel.IOptions) {
    super();
    this._client = options.client;
    this._now = options.now ?? Date.now;
  }

  rows: ReadonlyArray<IJobRow> = [];
  total = 0;
  /** Why the list is old, and since when. */
  stale: string | null = null;
  seenAt: string | null = null;
  error: unknown = null;
  loaded = false;

  /** A job that was under way has ended. */
  get ended(): ISignal<this, Job> {
    return this._ended;
  }

  get active(): ReadonlyArray<IJobRow> {
    return this.rows.filter(({ job }) => !isEnded(job));
  }

  find(id: string): IJobRow | undefined {
    return this.rows.find(({ job }) => job.job_id === id);
  }

  async refresh(): Promise<void> {
    try {
      const list = await this._client.listJobs();
      const heardAt = this._now();
      this._tellEnded(list.jobs);
      this.rows = list.jobs.map(job => ({ job, heardAt }));
      this.total = list.total;
      this.stale = list.stale;
      this.seenAt = list.seen_at;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.loaded = true;
    this.notify();
  }

  /** Look now and then for as long as no events come; the answer stops it. */
  poll(needed: () => boolean): () => void {
    const timer = setInterval(() => {
      if (needed()) {
        void this.refresh();
      }
    }, POLL);
    return () => clearInterval(timer);
  }

  /** A job as the server has just told it. */
  put(job: Job): void {
    this._tellEnded([job]);
    const row = { job, heardAt: this._now() };
    const at = this.rows.findIndex(other => sameJob(other.job, job));
    if (at < 0) {
      this.rows = [row, ...this.rows];
      this.total += 1;
    } else {
      this.rows = this.rows.map((other, index) => (index === at ? row : other));
    }
    this.notify();
  }

  onEvent(event: ISlurmEvent): void {
    if (event.channel !== 'jobs') {
      return;
    }
    if (event.type === 'job_update' && isJob(event.job)) {
      this.put(event.job);
    } else if (event.type === 'scheduler_state') {
      this.stale = (event.stale as string | null) ?? null;
      this.seenAt = (event.seen_at as string | null) ?? this.seenAt;
      this.notify();
    } else {
      void this.refresh();
    }
  }

  async cancel(id: string): Promise<void> {
    this.put(await this._client.cancelJob(id));
  }

  private _tellEnded(jobs: ReadonlyArray<Job>): void {
    for (const job of jobs) {
      const before = this.rows.find(other => sameJob(other.job, job));
      if (before && !isEnded(before.job) && isEnded(job)) {
        this._ended.emit(job);
      }
    }
  }

  private readonly _client: JobsModel.IClient;
  private readonly _now: () => number;
  private readonly _ended = new Signal<this, Job>(this);
}

export namespace JobsModel {
  export type IClient = Pick<SlurmClient, 'listJobs' | 'cancelJob'>;
  export interface IOptions {
    client: IClient;
    now?: () => number;
  }
}

/** Has it ended? */
export function isEnded(job: Job): boolean {
  return FINAL.has(job.state);
}

/** Seconds that a job has run, now. */
export function elapsedOf(
  { job, heardAt }: IJobRow,
  now: number
): number | null {
  if (job.state !== 'RUNNING' && job.state !== 'COMPLETING') {
    return job.elapsed ?? spanOf(job);
  }
  const since = Math.max(0, (now - heardAt) / 1000);
  if (job.elapsed !== null && job.elapsed !== undefined) {
    return job.elapsed + since;
  }
  return job.started_at ? (now - Date.parse(job.started_at)) / 1000 : null;
}

function spanOf(job: Job): number | null {
  return job.started_at && job.ended_at
    ? (Date.parse(job.ended_at) - Date.parse(job.started_at)) / 1000
    : null;
}

function sameJob(one: Job, other: Job): boolean {
  return one.run_id && other.run_id
    ? one.run_id === other.run_id
    : one.job_id === other.job_id && one.cluster === other.cluster;
}

function isJob(value: unknown): value is Job {
  return typeof value === 'object' && value !== null && 'job_id' in value;
}
