import type { SlurmClient } from '../../api/client';
import type { ISlurmEvent } from '../../api/events';
import type { Template } from '../../api/types';
import type { Uploader } from '../../api/uploader';
import { Observable } from '../../observable';
import { FilesModel } from './files';

/** What the kernel is told of a file. */
export interface IDropRow {
  name: string;
  slot: string | null;
  size: number | null;
  state: string;
  /** Per cent. */
  progress: number;
  sha256: string | null;
  [name: string]: string | number | null;
}

/** A notebook's field for files: the panel's own, on a session that the kernel made. */
export class DropModel extends Observable {
  constructor(options: DropModel.IOptions) {
    super();
    this._client = options.client;
    this.files = new FilesModel(options);
    this.files.changed.connect(() => {
      this.astray ||= this._isAstray;
      this.notify();
    });
  }

  readonly files: FilesModel;
  template: Template | null = null;
  /** The session could not be looked at yet. */
  opening = true;
  /** The server has no session of the kernel's: files go into another, which the kernel may not know. */
  astray = false;

  /** The files, as the kernel is told of them. */
  get rows(): IDropRow[] {
    return this.files.rows.map(row => ({
      name: row.name,
      slot: row.slot,
      size: row.size,
      state: row.state,
      progress:
        row.state === 'complete'
          ? 100
          : row.size
            ? Math.floor((1000 * row.sent) / row.size) / 10
            : 0,
      sha256: row.sha256
    }));
  }

  /** Take up the kernel's session. */
  async open(sessionId: string): Promise<void> {
    if (sessionId === this.files.sessionId) {
      return;
    }
    this.opening = true;
    this.astray = false;
    this._kernels = sessionId;
    this.notify();
    this.files.clear();
    await this.files.restore(sessionId);
    this.opening = false;
    this.astray = this._isAstray;
    this.notify();
  }

  /** The template whose slots are shown and checked. */
  async setTemplate(id: string): Promise<void> {
    this.files.setTemplate(id || null);
    if (id === (this.template?.id ?? '')) {
      return;
    }
    this.template = null;
    this.notify();
    if (id) {
      // Without it there are no slots to show; the kernel says what is wrong with a template.
      const template = await this._client.getTemplate(id).catch(() => null);
      this.template = template;
      this.notify();
    }
  }

  /** What a form has found; a field alone has no form. */
  messages(): Map<string, string> {
    return new Map();
  }

  refresh(): void {
    void this.files.refresh();
  }

  onEvent(event: ISlurmEvent): void {
    this.files.onEvent(event);
  }

  /** Nobody looks any more: stop what this page sends; what has arrived stays. */
  override dispose(): void {
    if (!this.isDisposed) {
      this._kernels = '';
      this.files.clear();
      super.dispose();
    }
  }

  private get _isAstray(): boolean {
    const { sessionId, error } = this.files;
    return (
      !this.opening && !error && !!this._kernels && sessionId !== this._kernels
    );
  }

  private readonly _client: DropModel.IClient;
  /** The session that the kernel made. */
  private _kernels = '';
}

export namespace DropModel {
  export type IClient = FilesModel.IClient & Pick<SlurmClient, 'getTemplate'>;
  export interface IOptions {
    client: IClient;
    uploader: Uploader;
    newKey: () => string;
  }
}
