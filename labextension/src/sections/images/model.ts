import type { SlurmClient } from '../../api/client';
import type { ISlurmEvent } from '../../api/events';
import type { Image, NodeError, Scan } from '../../api/types';
import { Observable } from '../../observable';
import { ImageDetailModel } from './detailmodel';

/** The catalogue of images, the scan under way, and the one image that is looked at. */
export class ImagesModel extends Observable {
  constructor(options: ImagesModel.IOptions) {
    super();
    this._client = options.client;
  }

  items: ReadonlyArray<Image> = [];
  nodeErrors: ReadonlyArray<NodeError> = [];
  scannedAt: string | null = null;
  /** The site scans; nobody can start a scan here. */
  readOnly = false;
  scan: Scan | null = null;
  error: unknown = null;
  loaded = false;
  /** One row for all versions of an image. */
  grouped = false;
  detail: ImageDetailModel | null = null;

  get scanning(): boolean {
    return this.scan?.status === 'running';
  }

  find(id: string): Image | undefined {
    return this.items.find(image => image.id === id);
  }

  setGrouped(grouped: boolean): void {
    this.grouped = grouped;
    this.notify();
  }

  /** Look at one image; null: at the list again. */
  open(id: string | null): void {
    if (id === (this.detail?.id ?? null)) {
      return;
    }
    this.detail?.dispose();
    this.detail = id
      ? new ImageDetailModel({
          client: this._client,
          id,
          onImage: image => this._put(image)
        })
      : null;
    void this.detail?.load();
    this.notify();
  }

  async refresh(): Promise<void> {
    try {
      const list = await this._client.listImages();
      this.items = list.images;
      this.nodeErrors = list.node_errors;
      this.scannedAt = list.scanned_at;
      this.readOnly = list.read_only ?? false;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.loaded = true;
    this.notify();
    void this.detail?.load();
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

  /** Follow a scan, and the work on an image, whoever started it. */
  onEvent(event: ISlurmEvent): void {
    if (event.channel !== 'images') {
      return;
    }
    if (event.type === 'image_changed') {
      void this._onImageChanged(String(event.image_id));
      return;
    }
    const id = (event.scan_id as string | undefined) ?? this.scan?.scan_id;
    if (id) {
      void this._follow(id);
    }
    if (event.type === 'scan_finished') {
      void this.refresh();
    }
  }

  private async _onImageChanged(id: string): Promise<void> {
    if (this.detail?.id === id) {
      // Their answers bring the image too.
      await this.detail.loadTasks();
      return;
    }
    if (this.find(id)) {
      try {
        this._put(await this._client.getImage(id));
      } catch {
        // It went away meanwhile; the next list says so.
      }
    }
  }

  private _put(image: Image): void {
    const old = this.find(image.id);
    // A new list makes all who search it read it anew: not without a reason.
    if (old && JSON.stringify(old) !== JSON.stringify(image)) {
      this.items = this.items.map(item => (item === old ? image : item));
      this.notify();
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
  private _asking = false;
  private _again = false;
}

export namespace ImagesModel {
  export type IClient = ImageDetailModel.IClient &
    Pick<SlurmClient, 'listImages' | 'getImage' | 'startScan' | 'getScan'>;
  export interface IOptions {
    client: IClient;
  }
}
