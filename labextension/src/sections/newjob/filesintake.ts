import type { UploadSession } from '../../api/types';
import type { IPicked } from './filesdrop';
import { Look, send, type IPlan, type ISeen, type IShort } from './fileslook';

/** What to do with files whose names are taken. */
export type Clash = 'keep' | 'replace' | 'skip';

/** One question for all clashes of a drop. */
export interface IQuestion {
  /** Names that are taken by other files. */
  names: string[];
  answer: (clash: Clash) => void;
}

/** Why nothing of a drop was sent; nothing of it is lost. */
export interface IObstacle {
  files: number;
  /** What they need is more than there is; null when the question did not get through. */
  short: IShort | null;
  error: unknown;
  answer: (again: boolean) => void;
}

/** Looks before the first byte, and asks once for everything that has to be asked. */
export class Intake {
  constructor(private readonly _options: Intake.IOptions) {
    this._look = new Look(_options);
  }

  /** What waits for an answer of the user. */
  question: IQuestion | null = null;
  obstacle: IObstacle | null = null;
  /** What is allowed, but not for ever: a soft limit of the quota. */
  note: string | null = null;

  /**
   * What to do with each of `picked`; nothing for those the user skips.
   *
   * Once `signal` says that the drop is given up, nothing more is asked, and the plans are worth nothing.
   */
  async plan(
    picked: ReadonlyArray<IPicked>,
    signal: AbortSignal
  ): Promise<IPlan[]> {
    while (!signal.aborted) {
      try {
        const session = await this._options.session();
        const seen = await this._look.at(session, picked, signal);
        signal.throwIfAborted();
        this.note = seen.note;
        if (!seen.short) {
          return await this._resolve(seen);
        }
        if (!(await this._stopped(picked.length, seen.short, null))) {
          return [];
        }
      } catch (error) {
        if (
          signal.aborted ||
          !(await this._stopped(picked.length, null, error))
        ) {
          return [];
        }
      }
    }
    return [];
  }

  /** Let go of what was asked; the drop it was about is given up. */
  clear(): void {
    this.question?.answer('skip');
    this.obstacle?.answer(false);
    this.note = null;
  }

  private async _resolve({ plans, clashes, taken }: ISeen): Promise<IPlan[]> {
    if (!clashes.length) {
      return plans;
    }
    const answer = await this._asked(clashes.map(({ name }) => name));
    if (answer === 'skip') {
      return plans;
    }
    const isTaken = (name: string) =>
      taken.has(name) ||
      this._options.isTaken(name) ||
      plans.some(plan => plan.name === name);
    for (const one of clashes) {
      const name = answer === 'keep' ? freeName(one.name, isTaken) : one.name;
      taken.add(name);
      plans.push({ ...send(one, answer === 'replace'), name });
    }
    return plans;
  }

  private async _asked(names: string[]): Promise<Clash> {
    const clash = await new Promise<Clash>(answer => {
      this.question = { names, answer };
      this._options.onChange();
    });
    this.question = null;
    this._options.onChange();
    return clash;
  }

  private async _stopped(
    files: number,
    short: IObstacle['short'],
    error: unknown
  ): Promise<boolean> {
    const again = await new Promise<boolean>(answer => {
      this.obstacle = { files, short, error, answer };
      this._options.onChange();
    });
    this.obstacle = null;
    this._options.onChange();
    return again;
  }

  private readonly _look: Look;
}

export namespace Intake {
  export interface IOptions extends Look.IOptions {
    session: () => Promise<UploadSession>;
    isTaken: (name: string) => boolean;
    onChange: () => void;
  }
}

/** The name under which a second file is kept, as the server would call it: `mesh (2).tar.gz`. */
export function freeName(
  name: string,
  isTaken: (name: string) => boolean
): string {
  const start = name.lastIndexOf('/') + 1;
  const dot = name.indexOf('.', start + 1);
  const end = dot < 0 ? name.length : dot;
  for (let number = 2; ; number++) {
    const other = `${name.slice(0, end)} (${number})${name.slice(end)}`;
    if (!isTaken(other)) {
      return other;
    }
  }
}
