import type { SlurmClient } from '../../api/client';
import type { TemplateHealth } from '../../api/types';
import { Observable } from '../../observable';
import type { TemplateEditorModel } from './model';

/** How the saved template of an editor does. */
export class HealthModel extends Observable {
  constructor(options: HealthModel.IOptions) {
    super();
    this._client = options.client;
    this._editor = options.editor;
    this._editor.changed.connect(this._follow, this);
    this._follow();
  }

  health: TemplateHealth | null = null;
  error: unknown = null;

  get running(): boolean {
    return this._starting || this.health?.state === 'running';
  }

  override dispose(): void {
    this._editor.changed.disconnect(this._follow, this);
    super.dispose();
  }

  /** Have the template checked as it is on the disk; its end is told by an event. */
  async start(): Promise<void> {
    const { id } = this._editor;
    if (!id || this.running) {
      return;
    }
    this._starting = true;
    this.error = null;
    this.notify();
    const before = this._news;
    try {
      this.health = await this._client.startTemplateCheck(id);
    } catch (error) {
      this.error = error;
    }
    this._starting = false;
    this.notify();
    if (before !== this._news) {
      // It may have ended before the answer to our asking came.
      await this.load();
    }
  }

  /** Something is new of these templates, or of any. */
  async onNews(ids: readonly string[] | null): Promise<void> {
    const { id } = this._editor;
    if (id && (!ids || ids.includes(id))) {
      this._news += 1;
      await this.load();
    }
  }

  async load(): Promise<void> {
    const { id } = this._editor;
    if (!id) {
      return;
    }
    const turn = ++this._turn;
    try {
      const health = await this._client.getTemplateHealth(id);
      if (turn === this._turn) {
        this.health = health;
        this.error = null;
      }
    } catch (error) {
      if (turn === this._turn) {
        this.error = error;
      }
    }
    this.notify();
  }

  /** Ask when the editor has another template, or another text of it. */
  private _follow(): void {
    const { id, base } = this._editor;
    const seen = `${id} ${base?.hash}`;
    if (id && base && seen !== this._seen) {
      this._seen = seen;
      void this.load();
    }
  }

  private readonly _client: HealthModel.IClient;
  private readonly _editor: TemplateEditorModel;
  private _starting = false;
  private _news = 0;
  private _turn = 0;
  private _seen = '';
}

export namespace HealthModel {
  export type IClient = Pick<
    SlurmClient,
    'getTemplateHealth' | 'startTemplateCheck'
  >;
  export interface IOptions {
    client: IClient;
    editor: TemplateEditorModel;
  }
}
