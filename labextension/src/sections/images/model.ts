import type { SlurmClient } from '../../api/client';
import type { ISlurmEvent } from '../../api/events';
import type { Image, ImageMetadata, NodeError, Scan } from '../../api/types';
import { Observable } from '../../observable';

export interface IImageFilter {
  query: string;
  partition: string;
  type: string;
}

/** The catalogue of images, the filter of its list, and the scan under way. */
export class ImagesModel extends Observable {
  constructor(options: ImagesModel.IOptions) {
    super();
    this._client = options.client;
  }

  items: ReadonlyArray<Image> = [];
  nodeErrors: ReadonlyArray<NodeError> = [];
  scannedAt: string | null = null;
  scan: Scan | null = null;
  error: unknown = null;
  loaded = false;
  filter: IImageFilter = { query: '', partition: '', type: '' };

  get scanning(): boolean {
    return this.scan?.status === 'running';
  }

  get shown(): Image[] {
    return filterImages(this.items, this.filter);
  }

  get partitions(): string[] {
    return [...new Set(this.items.flatMap(image => image.partitions))].sort();
  }

  get types(): string[] {
    return [...new Set(this.items.map(image => image.type))].sort();
  }

  setFilter(change: Partial<IImageFilter>): void {
    this.filter = { ...this.filter, ...change };
    this.notify();
  }

  /** What the file says of itself; kept once known. */
  metadata(id: string): ImageMetadata | undefined {
    return this._metadata.get(id);
  }

  async loadMetadata(id: string): Promise<void> {
    if (this._metadata.has(id)) {
      return;
    }
    try {
      this._metadata.set(id, await this._client.getImageMetadata(id));
      this.notify();
    } catch {
      // The list's own fields stand in for it.
    }
  }

  async refresh(): Promise<void> {
    try {
      const list = await this._client.listImages();
      this.items = list.images;
      this.nodeErrors = list.node_errors;
      this.scannedAt = list.scanned_at;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.loaded = true;
    this.notify();
  }

  async startScan(): Promise<void> {
    try {
      this.scan = await this._client.startScan();
      this.error = null;
      this.notify();
      if (!this.scanning) {
        await this.refresh();
      }
    } catch (error) {
      this.error = error;
      this.notify();
    }
  }

  /** Follow a scan, whoever started it. */
  onEvent(event: ISlurmEvent): void {
    if (event.channel !== 'images') {
      return;
    }
    const id = (event.scan_id as string | undefined) ?? this.scan?.scan_id;
    if (id) {
      void this._follow(id);
    }
    if (event.type === 'scan_finished') {
      this._metadata.clear();
      void this.refresh();
    }
  }

  private async _follow(id: string): Promise<void> {
    if (this._asking) {
      this._again = true;
      return;
    }
    this._asking = true;
    try {
      do {
        this._again = false;
        this.scan = await this._client.getScan(id);
        this.notify();
      } while (this._again);
    } catch {
      // A later event, or the end of the scan, brings the truth.
    } finally {
      this._asking = false;
    }
  }

  private readonly _client: ImagesModel.IClient;
  private readonly _metadata = new Map<string, ImageMetadata>();
  private _asking = false;
  private _again = false;
}

export namespace ImagesModel {
  export type IClient = Pick<
    SlurmClient,
    'listImages' | 'getImageMetadata' | 'startScan' | 'getScan'
  >;
  export interface IOptions {
    client: IClient;
  }
}

/** Images that pass the filter. */
export function filterImages(
  images: ReadonlyArray<Image>,
  { query, partition, type }: IImageFilter
): Image[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return images.filter(image => {
    if (partition && !image.partitions.includes(partition)) {
      return false;
    }
    if (type && image.type !== type) {
      return false;
    }
    const text = [
      image.name,
      image.version,
      image.description,
      image.path,
      ...image.apps,
      ...image.nodes,
      ...Object.entries(image.labels).flat()
    ]
      .join(' ')
      .toLowerCase();
    return words.every(word => text.includes(word));
  });
}
