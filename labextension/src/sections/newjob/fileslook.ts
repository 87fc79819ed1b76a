import type { SlurmClient } from '../../api/client';
import { fingerprint, sha256 } from '../../api/fingerprint';
import type { Preflight, UploadedFile, UploadSession } from '../../api/types';
import type { Uploader } from '../../api/uploader';
import type { IPicked } from './filesdrop';
import { SMALL } from './filesforms';

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

/** What was seen of a drop before its first byte. */
export interface ISeen {
  plans: IPlan[];
  clashes: IPicked[];
  taken: Set<string>;
  short: IShort | null;
  /** What is allowed, but not for ever: a soft limit of the quota. */
  note: string | null;
}

/** Files asked about at once. */
const PORTION = 5000;

/** Looks at what was picked, at what of it is there already, and at the room for the rest. */
export class Look {
  constructor(private readonly _options: Look.IOptions) {}

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

  /** See what can be done with each of `files`. Rejects when the server cannot be asked, or `signal` says to stop. */
  async at(
    session: UploadSession,
    files: ReadonlyArray<IPicked>,
    signal: AbortSignal
  ): Promise<ISeen> {
    const picked = this._renamed(files);
    const told = await this._ask(session, picked);
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
      signal.throwIfAborted();
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
    return {
      plans,
      clashes,
      taken: new Set(there.keys()),
      short: shortOf(space, needed, count),
      note: space?.note ?? null
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
}

export namespace Look {
  export interface IOptions {
    client: Pick<SlurmClient, 'preflight'>;
    uploader: Pick<Uploader, 'look'>;
    /** Files that the server has a part of and nobody sends. */
    begun: () => ReadonlyArray<{ name: string; size: number | null }>;
    /** What this page itself sends under that name. */
    sending: (
      name: string
    ) => { size: number; fingerprint: string; file: File } | undefined;
  }
}

/** It is sent as it is. */
export function send(one: IPicked, replace = false): IPlan {
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
