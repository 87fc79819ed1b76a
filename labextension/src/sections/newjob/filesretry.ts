import { Problem } from '../../problem';

const FIRST_DELAY = 1000;
const LAST_DELAY = 30_000;

/** Milliseconds between two looks at what is under way. */
const TICK = 5000;

/** A tick that comes this much late: the computer was asleep. */
const SLEPT = 20_000;

/** Milliseconds without a byte after which a request is made anew; the server may need a while for the last one. */
const SILENCE = 90_000;

/** When to try again, for all files together: what stops one of them for a reason of the line stops all. */
export class Retry {
  constructor(private readonly _options: Retry.IOptions) {}

  /** Why nothing is sent now; null while it is. */
  problem: Problem | null = null;
  /** When it is tried again, in milliseconds of the clock. */
  at = 0;
  /** Tries since something went through. */
  attempt = 0;

  get holding(): boolean {
    return this.problem !== null;
  }

  /** Send nothing until the delay is over, which doubles with every try. */
  hold(problem: Problem): void {
    if (this.holding) {
      return;
    }
    const full = Math.min(LAST_DELAY, FIRST_DELAY * 2 ** this.attempt);
    // Jitter: a hundred pages do not come back at the same moment.
    const delay = Math.max(
      problem.retryAfter * 1000,
      full * (0.5 + this._options.random() / 2)
    );
    this.attempt += 1;
    this.problem = problem;
    this.at = this._options.now() + delay;
    this._timer = setTimeout(() => this._options.onRetry(), delay);
  }

  clear(): void {
    clearTimeout(this._timer);
    this.problem = null;
  }

  succeeded(): void {
    this.attempt = 0;
  }

  /** Look after what is under way, or stop doing so. */
  watch(on: boolean): void {
    if (on === (this._ticker !== undefined)) {
      return;
    }
    clearInterval(this._ticker);
    this._ticker = undefined;
    if (on) {
      let last = this._options.now();
      this._ticker = setInterval(() => {
        const now = this._options.now();
        const slept = now - last > TICK + SLEPT;
        last = now;
        this._options.onTick(slept, SILENCE);
      }, TICK);
    }
  }

  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _ticker: ReturnType<typeof setInterval> | undefined;
}

export namespace Retry {
  export interface IOptions {
    now: () => number;
    random: () => number;
    onRetry: () => void;
    /** `slept`: the computer was asleep; `silence`: milliseconds that a request may say nothing. */
    onTick: (slept: boolean, silence: number) => void;
  }
}

/**
 * Not the file's fault: the line is cut, the server restarts, or the user has to sign in again. A JupyterHub whose
 * server was stopped answers in its place, and knows no HEAD: 405, in none of our words.
 */
export function isAway(problem: Problem): boolean {
  const { code, status } = problem;
  return (
    code === 'network' ||
    code === 'http-405' ||
    isSignedOut(problem) ||
    [408, 423, 424, 429, 502, 503, 504].includes(status)
  );
}

/** The token has expired, or its cookie: our own refusal of an account that may not upload is another matter. */
export function isSignedOut({ code, status }: Problem): boolean {
  return status === 401 || (status === 403 && code !== 'forbidden');
}
