import { Problem } from '../../problem';
import type { IPicked } from './filesdrop';
import type { Intake } from './filesintake';
import type { IPlan } from './fileslook';
import { Meter } from './filesmeter';
import type { SendQueue } from './filesqueue';
import type { IFileRow, ISending } from './filesrows';
import type { FilesSession } from './filessession';

/** What is dropped, from the hand of the user to the queue: read, looked at, made room for. */
export class Drops {
  constructor(private readonly _options: Drops.IOptions) {}

  /** Files of the last drop that were there already. */
  already = 0;

  /** Drops that are being read and looked at, before their first byte. */
  get looking(): number {
    return this._underWay.size;
  }

  /** Send what was picked, once it has been read and nothing stands in its way. A slot is for the first of it. */
  take(
    picking: Promise<ReadonlyArray<IPicked>>,
    slot: string | undefined
  ): Promise<void> {
    // One drop after the other: each may have something to ask.
    this._last = this._take(picking, this._last, slot);
    return this._last;
  }

  /** Give up every drop that is not in the queue yet: they were for a form that is left. */
  clear(): void {
    this._underWay.forEach(drop => drop.abort());
    this._underWay.clear();
    this._options.intake.clear();
    this._last = Promise.resolve();
    this.already = 0;
  }

  private async _take(
    picking: Promise<ReadonlyArray<IPicked>>,
    before: Promise<void>,
    slot: string | undefined
  ): Promise<void> {
    const { intake, remote, onChange } = this._options;
    const drop = new AbortController();
    const { signal } = drop;
    this._underWay.add(drop);
    remote.error = null;
    onChange();
    try {
      const picked = await picking;
      await before;
      signal.throwIfAborted();
      this.already = 0;
      const plans = await intake.plan(picked, signal);
      signal.throwIfAborted();
      await this._send(plans, picked[0]?.file, slot, signal);
    } catch (error) {
      if (!signal.aborted) {
        remote.fail(error);
      }
    } finally {
      this._underWay.delete(drop);
      onChange();
    }
  }

  /** Do as planned; the slot is for `first`, whatever becomes of it. */
  private async _send(
    plans: ReadonlyArray<IPlan>,
    first: File | undefined,
    slot: string | undefined,
    signal: AbortSignal
  ): Promise<void> {
    const { queue, rows, remove, setSlot } = this._options;
    const again: string[] = [];
    const fresh: ISending[] = [];
    const old: string[] = [];
    let there: string | undefined;
    for (const plan of plans) {
      const isFirst = plan.file === first;
      const here = queue.named(plan.name);
      if (plan.do === 'nothing') {
        this.already += 1;
        if (here) {
          // The same file, perhaps moved since it was chosen first.
          here.file = plan.file;
          again.push(here.key);
        }
        there = isFirst ? plan.name : there;
        continue;
      }
      if (here) {
        old.push(here.key);
      }
      fresh.push(this._sending(plan, isFirst ? slot : undefined));
    }
    if (old.length) {
      await remove(old);
    }
    const row = rows().find(({ name }) => name === there);
    if (row && slot) {
      await setSlot(row.key, slot);
    }
    await this._makeRoom(fresh);
    signal.throwIfAborted();
    queue.add(fresh);
    queue.resume(again);
  }

  /** What stands in a slot makes room, but not for a file that cannot be taken nor for its own successor. */
  private async _makeRoom(fresh: ReadonlyArray<ISending>): Promise<void> {
    const { remote } = this._options;
    for (const { name, slot, state } of fresh) {
      if (slot && state !== 'failed') {
        await remote.edits.clearSlot(slot, remote.stock.named(name)?.file_id);
      }
    }
  }

  private _sending(plan: IPlan, slot: string | undefined): ISending {
    const { queue, remote, newKey, now, onKey } = this._options;
    const refused = plan.do === 'refuse';
    const resumed = plan.do === 'resume';
    const key = newKey();
    // What comes for a file that is there stands where that one stood; the server knows where.
    const before = resumed
      ? remote.stock.named(plan.name)
      : queue.named(plan.name);
    if (resumed) {
      onKey(plan.fileId, key);
    }
    return {
      key,
      name: plan.name,
      file: plan.file,
      slot: slot ?? before?.slot ?? undefined,
      replace: plan.do === 'send' && plan.replace,
      fingerprint: plan.fingerprint,
      fileId: resumed ? plan.fileId : null,
      state: refused ? 'failed' : 'queued',
      sent: resumed ? plan.offset : 0,
      meter: new Meter(now),
      error: refused
        ? new Problem({ code: 'invalid-input', detail: plan.why })
        : null
    };
  }

  /** One for each drop that is not in the queue yet. */
  private readonly _underWay = new Set<AbortController>();
  private _last: Promise<void> = Promise.resolve();
}

export namespace Drops {
  export interface IOptions {
    intake: Intake;
    queue: SendQueue;
    remote: FilesSession;
    newKey: () => string;
    now: () => number;
    rows: () => ReadonlyArray<IFileRow>;
    remove: (keys: ReadonlyArray<string>) => Promise<void>;
    setSlot: (key: string, slot: string) => Promise<void>;
    /** The server's file goes on as the row with this key. */
    onKey: (fileId: string, key: string) => void;
    onChange: () => void;
  }
}
