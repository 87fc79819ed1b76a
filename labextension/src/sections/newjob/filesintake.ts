import { fingerprint, sha256 } from '../../api/fingerprint';
import type { SlurmClient } from '../../api/client';
import type { Preflight, UploadedFile, UploadSession } from '../../api/types';
import type { Uploader } from '../../api/uploader';
import type { IPicked } from './filesdrop';
import { SMALL } from './filesqueue';

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

/** Too little of something: bytes or a number of files, on the disk or of the user's quota. */
export interface IShort {
  what: 'disk' | 'quota' | 'files';
  needed: number;
  left: number;
}

/** What becomes of one file of a drop. */
export type IPlan = IPicked &
  (
    | { do: 'send'; name: string; replace: boolean }
    /** The server has a part of this very file. */
    | { do: 'resume'; fileId: string; offset: number }
    /** It is there already. */
    | { do: 'nothing' }
    | { do: 'refuse'; why: string }
  ) & { fingerprint: string };

/** A file in the way of one that was picked. */
interface IInWay {
  size: number | null;
  /** The server's record, when it has one. */
  there: UploadedFile | undefined;
  /** What this page knows of it, when it is this page that sends it. */
  here: { size: number; fingerprint: string; file: File } | undefined;
}

/** Looks before the first byte, and asks once for everything that has to be asked. */
export class Intake {
  constructor(private readonly _options: Intake.IOptions) {}

  /** What waits for an answer of the user. */
  question: IQuestion | null = null;
  obstacle: IObstacle | null = null;
  /** Required slots that stay empty with what was dropped last. */
  emptySlots: ReadonlyArray<string> = [];
  /** What is allowed, but not for ever: a soft limit of the quota. */
  note: string | null = null;

  /** What to do with each of `picked`; nothing for those the user skips. */
  async plan(picked: ReadonlyArray<IPicked>): Promise<IPlan[]> {
    for (;;) {
      try {
        const session = await this._options.session();
        const seen = await this._look(session, this._renamed(picked));
        if (!seen.short) {
          return await this._resolve(seen.plans, seen.clashes, seen.taken);
        }
        if (!(await this._stopped(picked.length, seen.short, null))) {
          return [];
        }
      } catch (error) {
        if (!(await this._stopped(picked.length, null, error))) {
          return [];
        }
      }
    }
  }

  /** Forget what was asked; the drop it was about is not sent. */
  clear(): void {
    this.question?.answer('skip');
    this.obstacle?.answer(false);
    this.emptySlots = [];
  }

  /** A single file may be one that was begun in a folder: then it goes on there. */
  private _renamed(picked: ReadonlyArray<IPicked>): IPicked[] {
    const begun = this._options.begun();
    return picked.map(one => {
      const same = begun.filter(
        file =>
          file.size === one.file.size && file.name.endsWith(`/${one.name}`)
      );
      return !one.name.includes('/') && same.length === 1
        ? { ...one, name: same[0].name }
        : one;
    });
  }

  private async _look(
    session: UploadSession,
    picked: ReadonlyArray<IPicked>
  ): Promise<ISeen> {
    const told = await this._ask(session, picked);
    this.emptySlots = told.at(-1)?.empty_slots ?? [];
    const wrong = new Map(
      told.flatMap(({ files }) => files.map(file => [file.name, file.problem]))
    );
    const there = new Map(
      told.flatMap(({ clashes }) => clashes.map(one => [one.name, one.file]))
    );
    const plans: IPlan[] = [];
    const clashes: IPicked[] = [];
    let needed = 0;
    let count = 0;
    for (const one of picked) {
      const why = wrong.get(one.name);
      if (why) {
        plans.push({ ...one, do: 'refuse', why, fingerprint: '' });
        continue;
      }
      const here = this._options.sending(one.name);
      const file = there.get(one.name);
      const plan =
        file || here
          ? await this._compare(session, one, {
              size: here?.size ?? file?.size ?? null,
              there: file,
              here
            })
          : send(one);
      if (plan) {
        plans.push(plan);
      } else {
        clashes.push(one);
      }
      if (!plan || plan.do === 'send') {
        needed += one.file.size;
        count += 1;
      }
    }
    const space = told.at(-1)?.space;
    this.note = space?.note ?? null;
    return {
      plans,
      clashes,
      taken: new Set(there.keys()),
      short: shortOf(space, needed, count)
    };
  }

  /** Ask the server, in portions that its bound for a question allows. */
  private async _ask(
    session: UploadSession,
    picked: ReadonlyArray<IPicked>
  ): Promise<Preflight[]> {
    const told: Preflight[] = [];
    for (let at = 0; at < picked.length; at += PORTION) {
      const files = picked
        .slice(at, at + PORTION)
        .map(({ name, file }) => ({ name, size: file.size }));
      told.push(
        await this._options.client.preflight(session.session_id, files)
      );
    }
    return told;
  }

  /** Whether what is there is this file: then go on with it, or leave it; null when it is another one. */
  private async _compare(
    session: UploadSession,
    one: IPicked,
    { size, there, here }: IInWay
  ): Promise<IPlan | null> {
    if (there?.state === 'failed' && !here) {
      return send(one, true);
    }
    if (size !== one.file.size || there?.origin === 'path') {
      return null;
    }
    if (there?.state === 'complete' && there.sha256 && size <= SMALL) {
      const own = await sha256(one.file);
      return own === there.sha256 ? nothing(one) : null;
    }
    const own = await fingerprint(one.file);
    if (here) {
      const mark = here.fingerprint || (await fingerprint(here.file));
      return mark === own ? nothing(one, own) : null;
    }
    const state = await this._options.uploader.look(
      session.tus_url,
      there!.file_id
    );
    if (there!.state === 'complete') {
      return state.fingerprint === own ? nothing(one, own) : null;
    }
    const same = !state.fingerprint || state.fingerprint === own;
    const { offset } = state;
    const fileId = there!.file_id;
    return same
      ? { ...one, do: 'resume', fileId, offset, fingerprint: own }
      : null;
  }

  private async _resolve(
    plans: IPlan[],
    clashes: ReadonlyArray<IPicked>,
    taken: Set<string>
  ): Promise<IPlan[]> {
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
}

export namespace Intake {
  export interface IOptions {
    client: Pick<SlurmClient, 'preflight'>;
    uploader: Pick<Uploader, 'look'>;
    session: () => Promise<UploadSession>;
    /** Files that the server has a part of and nobody sends. */
    begun: () => ReadonlyArray<{ name: string; size: number | null }>;
    /** What this page itself sends under that name. */
    sending: (
      name: string
    ) => { size: number; fingerprint: string; file: File } | undefined;
    isTaken: (name: string) => boolean;
    onChange: () => void;
  }
}

interface ISeen {
  plans: IPlan[];
  clashes: IPicked[];
  taken: Set<string>;
  short: IShort | null;
}

/** Files asked about at once. */
const PORTION = 5000;

function send(one: IPicked, replace = false): IPlan {
  return { ...one, do: 'send', replace, fingerprint: '' };
}

function nothing(one: IPicked, mark = ''): IPlan {
  return { ...one, do: 'nothing', fingerprint: mark };
}

/** What there is too little of for `needed` bytes in `count` files; null when there is enough. */
function shortOf(
  space: Preflight['space'] | undefined,
  needed: number,
  count: number
): IShort | null {
  const files = space?.quota?.files.left ?? Infinity;
  if (count > files) {
    return { what: 'files', needed: count, left: files };
  }
  const left = space ? Math.max(0, space.free - space.promised) : Infinity;
  const quota = space?.quota?.space.left ?? Infinity;
  return needed > left
    ? { what: quota <= space!.free ? 'quota' : 'disk', needed, left }
    : null;
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
