import type { components } from '../api/schema';
import { imageBadges } from '../text';

type Image = components['schemas']['Image'];

/** What a row and its preview need of an image; a notebook's widget sends no more than this. */
export type ImageFacts = Pick<
  Image,
  | 'id'
  | 'name'
  | 'path'
  | 'nodes'
  | 'partitions'
  | 'type'
  | 'size'
  | 'version'
  | 'description'
  | 'labels'
  | 'apps'
  | 'signature'
  | 'is_active'
> &
  Partial<Pick<Image, 'family' | 'problem'>>;

/** Empty values let everything through. */
export interface IImageFilter {
  query: string;
  partition: string;
  type: string;
  app: string;
}

export const EVERYTHING: IImageFilter = {
  query: '',
  partition: '',
  type: '',
  app: ''
};

/** One line of the list. */
export interface IImageRow {
  image: ImageFacts;
  badges: ReadonlyArray<string>;
  /** The user chose it lately. */
  recent: boolean;
  /** Older versions that this row stands for. */
  older: number;
}

interface IEntry extends IImageRow {
  /** All words to find it by, in lower case. */
  text: string;
  name: string;
}

/** The node of images in shared directories: every real node sees them. */
const SHARED = 'shared';

export function isShared(image: ImageFacts): boolean {
  return image.nodes.includes(SHARED);
}

/** A catalogue made ready to be searched at every keystroke. */
export class ImageIndex {
  constructor(images: ReadonlyArray<ImageFacts>) {
    this._entries = images.map(entryOf);
    this.partitions = sorted(images.flatMap(image => image.partitions));
    this.types = sorted(images.map(image => image.type));
    this.apps = sorted(images.flatMap(image => image.apps));
  }

  readonly partitions: ReadonlyArray<string>;
  readonly types: ReadonlyArray<string>;
  readonly apps: ReadonlyArray<string>;

  get size(): number {
    return this._entries.length;
  }

  /**
   * What passes the filter: the recently used first, then names that begin with the first word, then the others, each in
   * the catalogue's own order.
   */
  search(
    { query, partition, type, app }: IImageFilter,
    recent: ReadonlyArray<string> = []
  ): IImageRow[] {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const used = new Map(recent.map((id, at) => [id, at]));
    const lately: IEntry[] = [];
    const first: IEntry[] = [];
    const others: IEntry[] = [];
    for (const entry of this._entries) {
      const { image } = entry;
      if (
        (partition && !isOn(image, partition)) ||
        (type && image.type !== type) ||
        (app && !image.apps.includes(app)) ||
        !words.every(word => entry.text.includes(word))
      ) {
        continue;
      }
      if (used.has(image.id)) {
        lately.push({ ...entry, recent: true });
      } else if (words.length && entry.name.startsWith(words[0])) {
        first.push(entry);
      } else {
        others.push(entry);
      }
    }
    lately.sort(
      (one, other) => used.get(one.image.id)! - used.get(other.image.id)!
    );
    return [...lately, ...first, ...others];
  }

  /** The images that are versions of one, the newest first. */
  family(name: string | undefined): ImageFacts[] {
    return name
      ? this._entries
          .filter(({ image }) => image.family === name)
          .map(({ image }) => image)
      : [];
  }

  private readonly _entries: ReadonlyArray<IEntry>;
}

/** One row a family: its newest version of those that are here. The catalogue lists the newest first. */
export function newestOnly(rows: ReadonlyArray<IImageRow>): IImageRow[] {
  const newest = new Map<string, IImageRow>();
  for (const row of rows) {
    const name = row.image.family || row.image.id;
    const known = newest.get(name);
    newest.set(name, known ? { ...known, older: known.older + 1 } : row);
  }
  return [...newest.values()];
}

/** Can jobs of this partition use the image? */
export function isOn(image: ImageFacts, partition: string): boolean {
  return isShared(image) || image.partitions.includes(partition);
}

const made = new WeakMap<ReadonlyArray<ImageFacts>, ImageIndex>();

/** The index of a catalogue, made once for all who look at it. */
export function indexOf(images: ReadonlyArray<ImageFacts>): ImageIndex {
  let index = made.get(images);
  if (!index) {
    index = new ImageIndex(images);
    made.set(images, index);
  }
  return index;
}

function entryOf(image: ImageFacts): IEntry {
  const badges = imageBadges(image);
  const words = [
    image.name,
    image.version,
    image.description,
    image.path,
    image.signature,
    ...badges,
    ...image.apps,
    ...image.nodes,
    ...Object.entries(image.labels).flat()
  ];
  return {
    image,
    badges,
    recent: false,
    older: 0,
    text: words.join('\n').toLowerCase(),
    name: image.name.toLowerCase()
  };
}

function sorted(names: string[]): string[] {
  return [...new Set(names)].sort();
}
