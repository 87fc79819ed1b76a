import type { TemplateVersion, TemplateVersionText } from '../../api/types';
import { Observable } from '../../observable';
import type { IText, TemplateEditorModel } from './model';

/** The former versions of the template in an editor. */
export class VersionsModel extends Observable {
  constructor(options: VersionsModel.IOptions) {
    super();
    this._client = options.client;
    this._editor = options.editor;
  }

  items: ReadonlyArray<TemplateVersion> = [];
  loaded = false;
  /** The one whose changes are shown. */
  shown: TemplateVersionText | null = null;
  /** The version that was brought back just now. */
  restored: string | null = null;
  busy = false;
  error: unknown = null;

  async refresh(): Promise<void> {
    const { id } = this._editor;
    await this._do(async () => {
      this.items = id
        ? (await this._client.listTemplateVersions(id)).versions
        : [];
      this.loaded = true;
    });
  }

  async show(version: string): Promise<void> {
    await this._do(async () => {
      this.shown = await this._client.getTemplateVersion(
        this._editor.id!,
        version
      );
    });
  }

  /** Save a former version again; changes that are not saved stay in the editor, beside it. */
  async restore(version: string): Promise<void> {
    const { id, base } = this._editor;
    if (!id || !base) {
      return;
    }
    await this._do(async () => {
      await this._client.restoreTemplateVersion(id, version, base.hash);
      this._before = base;
      this.restored = version;
      await this._follow(id);
    });
  }

  async undo(): Promise<void> {
    const { id, base } = this._editor;
    const before = this._before;
    if (!id || !base || !before) {
      return;
    }
    await this._do(async () => {
      await this._client.saveTemplate(id, before.text, base.hash);
      this.restored = null;
      this._before = null;
      await this._follow(id);
    });
  }

  private async _follow(id: string): Promise<void> {
    await this._editor.onChanged([id]);
    this.items = (await this._client.listTemplateVersions(id)).versions;
    if (this.shown) {
      this.shown = await this._client.getTemplateVersion(
        id,
        this.shown.version
      );
    }
  }

  private async _do(act: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.error = null;
    this.notify();
    try {
      await act();
    } catch (error) {
      this.error = error;
    } finally {
      this.busy = false;
      this.notify();
    }
  }

  private readonly _client: TemplateEditorModel.IClient;
  private readonly _editor: TemplateEditorModel;
  private _before: IText | null = null;
}

export namespace VersionsModel {
  export interface IOptions {
    client: TemplateEditorModel.IClient;
    editor: TemplateEditorModel;
  }
}
