import type { SlurmClient } from '../../api/client';
import type { Limits } from '../../api/types';
import { Observable } from '../../observable';
import { Problem } from '../../problem';

/** Milliseconds without a change of account or QOS before their limits are asked for. */
const DEBOUNCE = 250;

/** Choices whose limits are remembered. */
const KEPT = 50;

/** What the chosen partition, account and QOS allow, as Slurm has it. */
export class LimitsModel extends Observable {
  constructor(options: LimitsModel.IOptions) {
    super();
    this._client = options.client;
  }

  /** Of what is chosen now; null while nothing is known of that partition. */
  limits: Limits | null = null;
  /** `silent`: Slurm did not answer; the job can be submitted all the same. */
  state: 'none' | 'loading' | 'known' | 'silent' = 'none';
  /** Were there ever accounts or QOS to choose from? Then their fields stay where they are. */
  hasAccounts = false;

  /** This is chosen now. No partition: none that is known. */
  choose(partition: string, account: string, qos: string): void {
    const key = JSON.stringify([partition, account, qos]);
    if (key === this._key) {
      return;
    }
    const moved = partition !== this._partition;
    this._key = key;
    this._partition = partition;
    const known = this._seen.get(key);
    if (known) {
      this.limits = known;
    } else if (moved) {
      this.limits = null;
    }
    this._stop();
    if (!partition) {
      this.state = 'none';
      this.limits = null;
    } else {
      this.state = known ? 'known' : 'loading';
      const ask = () => void this._ask(key, partition, account, qos);
      // A name is being typed; a partition is chosen.
      this._again = ask;
      if (moved) {
        ask();
      } else {
        this._timer = setTimeout(ask, DEBOUNCE);
      }
    }
    this.notify();
  }

  /** Ask again where there was no answer. */
  retry(): void {
    if (this.state === 'silent') {
      this._again();
    }
  }

  /** What is remembered may be old. */
  refresh(): void {
    this._seen.clear();
    this._again();
  }

  private _stop(): void {
    clearTimeout(this._timer);
    this._abort?.abort();
    this._abort = null;
    this._again = () => undefined;
  }

  private async _ask(
    key: string,
    partition: string,
    account: string,
    qos: string
  ): Promise<void> {
    clearTimeout(this._timer);
    this._abort?.abort();
    const abort = new AbortController();
    this._abort = abort;
    try {
      const limits = await this._client.getLimits(
        partition,
        account,
        qos,
        abort.signal
      );
      if (abort.signal.aborted) {
        return;
      }
      this.limits = limits;
      this.state = 'known';
      this.hasAccounts ||= limits.accounts.length > 0 || limits.qos.length > 0;
      this._remember(key, limits);
    } catch (error) {
      if (abort.signal.aborted) {
        return;
      }
      const gone = error instanceof Problem && error.status === 404;
      this.state = gone ? 'none' : 'silent';
    }
    this.notify();
  }

  private _remember(key: string, limits: Limits): void {
    this._seen.delete(key);
    this._seen.set(key, limits);
    for (const old of [...this._seen.keys()].slice(0, -KEPT)) {
      this._seen.delete(old);
    }
  }

  private readonly _client: LimitsModel.IClient;
  private readonly _seen = new Map<string, Limits>();
  private _key = '';
  private _partition = '';
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _abort: AbortController | null = null;
  private _again: () => void = () => undefined;
}

export namespace LimitsModel {
  export type IClient = Pick<SlurmClient, 'getLimits'>;
  export interface IOptions {
    client: IClient;
  }
}
