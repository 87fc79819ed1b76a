import type { ISending } from './filesrows';

/** Bytes up to which files go together in a form; the server writes those in one go too. */
export const SMALL = 256 * 1024;

const FORM_FILES = 500;
const FORM_BYTES = 8 * 1024 * 1024;
const LEAST_FORM_BYTES = 1024 * 1024;

/** Seconds that a form should last: what is in it when the line breaks is sent again. */
const FORM_SECONDS = 8;

/** A small file that the server does not know: it goes in a form. */
export function isSmall({ file, fileId }: ISending): boolean {
  return file.size <= SMALL && fileId === null;
}

/** Fields of a form hold for all of its files. */
function fit(one: ISending, other: ISending): boolean {
  return one.slot === other.slot && one.replace === other.replace;
}

/** Which small files go together in a form, also after a form was refused because of one of them. */
export class Forms {
  constructor(private readonly _items: ReadonlyMap<string, ISending>) {}

  /** The files of the next form: the same slot, the same answer to a clash. Bytes per second say how many. */
  next(speed: number): ISending[] {
    for (let half; (half = this._halves.pop());) {
      half.forEach(item => this._alone.delete(item));
      // Stopped or taken out meanwhile.
      const items = half.filter(
        item => item.state === 'queued' && this._items.get(item.key) === item
      );
      if (items.length) {
        return items.filter(item => fit(items[0], item));
      }
    }
    const room = Math.min(
      FORM_BYTES,
      Math.max(LEAST_FORM_BYTES, speed * FORM_SECONDS)
    );
    const items: ISending[] = [];
    let bytes = 0;
    for (const item of this._items.values()) {
      if (item.state !== 'queued' || !isSmall(item) || this._alone.has(item)) {
        continue;
      }
      if (!fit(items[0] ?? item, item)) {
        continue;
      }
      bytes += item.file.size;
      if (items.length && (items.length >= FORM_FILES || bytes > room)) {
        break;
      }
      items.push(item);
    }
    return items;
  }

  /** One of these cannot be taken: find it, and send the others. */
  halve(items: ISending[]): void {
    const middle = items.length >> 1;
    for (const half of [items.slice(middle), items.slice(0, middle)]) {
      half.forEach(item => this._alone.add(item));
      this._halves.push(half);
    }
  }

  /** Parts of a refused form, to be tried alone. */
  private readonly _halves: ISending[][] = [];
  private readonly _alone = new Set<ISending>();
}
