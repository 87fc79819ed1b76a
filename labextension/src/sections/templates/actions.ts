import type { SlurmClient } from '../../api/client';
import type { Template, TemplateSummary } from '../../api/types';
import { Observable } from '../../observable';
import { AskedScript } from './askedscript';
import { nameOf, type TemplatesModel } from './model';

/** What was done, and the way back. */
export interface INotice {
  kind: 'cloned' | 'shared' | 'unshared' | 'archived' | 'restored' | 'imported';
  id: string;
  name: string;
  undo: (() => Promise<unknown>) | null;
}

/** What one does with a template of the library; every step can be taken back. */
export class TemplateActions extends Observable {
  constructor(options: TemplateActions.IOptions) {
    super();
    this._client = options.client;
    this._templates = options.templates;
    this.script = new AskedScript(options);
  }

  /** The last thing done. */
  notice: INotice | null = null;
  /** Why the last thing was not done. */
  error: unknown = null;
  /** The template whose copy waits for its name. */
  cloning: string | null = null;
  /** The script that is to become a template. */
  readonly script: AskedScript;
  busy = false;
  /** The templates whose check was asked for here and has not ended. */
  readonly checking = new Set<string>();

  /** Have a template checked; `onChecked` hears when that is done. */
  async check(id: string): Promise<void> {
    if (this.checking.has(id)) {
      return;
    }
    this._checking([id]);
    try {
      const { state } = await this._client.startTemplateCheck(id);
      if (state !== 'running') {
        await this.onChecked([id]);
      }
    } catch (error) {
      this._notChecked([id], error);
    }
  }

  async checkOfficial(): Promise<void> {
    const ids = this._templates.items
      .filter(item => item.source === 'official')
      .map(item => item.id);
    this._checking(ids);
    try {
      const { running } = await this._client.startOfficialChecks();
      // Those that have ended before the answer came were told of.
      await this.onChecked(ids.filter(id => !running.includes(id)));
    } catch (error) {
      this._notChecked(ids, error);
    }
  }

  /** The checks of these have ended; `null`: of any, for the news of it may have been missed. */
  async onChecked(ids: readonly string[] | null): Promise<void> {
    const ended = [...this.checking].filter(id => !ids || ids.includes(id));
    await Promise.all(ended.map(id => this._seeCheck(id)));
  }

  /** Why a check could not be made is said here; what it found is in the list. */
  private async _seeCheck(id: string): Promise<void> {
    try {
      const { state, message } = await this._client.getTemplateHealth(id);
      if (state === 'running') {
        return;
      }
      this._notChecked([id], state === 'failed' ? new Error(message) : null);
    } catch (error) {
      this._notChecked([id], error);
    }
  }

  private _checking(ids: readonly string[]): void {
    this.error = null;
    ids.forEach(id => this.checking.add(id));
    this.notify();
  }

  private _notChecked(ids: readonly string[], error: unknown): void {
    ids.forEach(id => this.checking.delete(id));
    this.error = error ?? this.error;
    this.notify();
  }

  startClone(id: string | null): void {
    this.cloning = id;
    this.notify();
  }

  dismiss(): void {
    this.notice = null;
    this.error = null;
    this.notify();
  }

  async undo(): Promise<void> {
    const undo = this.notice?.undo;
    this.notice = null;
    if (undo) {
      await this._do(undo);
    }
    this.notify();
  }

  async clone(id: string, name: string): Promise<Template | null> {
    const made = await this._do(() => this._client.cloneTemplate(id, name));
    if (made) {
      this.cloning = null;
      this._tell('cloned', made, () =>
        this._client.deleteTemplate(made.id, made.hash)
      );
    }
    return made;
  }

  async share(id: string): Promise<void> {
    await this._move(id, 'share', 'shared', 'unshare');
  }

  async unshare(id: string): Promise<void> {
    await this._move(id, 'unshare', 'unshared', 'share');
  }

  async restore(id: string): Promise<void> {
    const back = await this._do(() => this._client.moveTemplate(id, 'restore'));
    if (back) {
      this._tell('restored', back, () =>
        this._client.deleteTemplate(back.id, back.hash)
      );
    }
  }

  async remove(id: string): Promise<void> {
    const known = this._templates.find(id);
    const gone = await this._do(async () => {
      const { hash } = known ?? (await this._client.getTemplate(id));
      return this._client.deleteTemplate(id, hash);
    });
    if (gone) {
      this._tell('archived', gone, () => this._bringBack(id, known));
    }
  }

  /** A file from elsewhere; the problem is thrown, for its text is not lost: it can be mended in an editor. */
  async take(text: string): Promise<Template> {
    const made = await this._client.importTemplate(text);
    this._tell('imported', made, () =>
      this._client.deleteTemplate(made.id, made.hash)
    );
    await this._templates.refresh();
    return made;
  }

  async exportText(id: string): Promise<string | null> {
    return (
      (await this._do(() => this._client.getTemplateText(id)))?.text ?? null
    );
  }

  private async _move(
    id: string,
    act: 'share' | 'unshare',
    kind: INotice['kind'],
    back: 'share' | 'unshare'
  ): Promise<void> {
    const moved = await this._do(() => this._client.moveTemplate(id, act));
    if (moved) {
      this._tell(kind, moved, () => this._client.moveTemplate(id, back));
    }
  }

  /** From the archive to the shelf it was on. */
  private async _bringBack(
    id: string,
    known: TemplateSummary | undefined
  ): Promise<void> {
    await this._client.moveTemplate(id, 'restore');
    if (known?.source === 'community') {
      await this._client.moveTemplate(id, 'share');
    }
  }

  private _tell(
    kind: INotice['kind'],
    template: Template,
    undo: INotice['undo']
  ): void {
    this.notice = { kind, id: template.id, name: nameOf(template), undo };
    this.notify();
  }

  private async _do<T>(act: () => Promise<T>): Promise<T | null> {
    this.error = null;
    this.notice = null;
    this.busy = true;
    this.notify();
    try {
      const done = await act();
      await this._templates.refresh();
      return done;
    } catch (error) {
      this.error = error;
      return null;
    } finally {
      this.busy = false;
      this.notify();
    }
  }

  private readonly _client: TemplateActions.IClient;
  private readonly _templates: TemplatesModel;
}

export namespace TemplateActions {
  export type IClient = Pick<
    SlurmClient,
    | 'cloneTemplate'
    | 'deleteTemplate'
    | 'draftFromScript'
    | 'moveTemplate'
    | 'getTemplate'
    | 'getTemplateText'
    | 'importTemplate'
    | 'getTemplateHealth'
    | 'startTemplateCheck'
    | 'startOfficialChecks'
  >;
  export interface IOptions {
    client: IClient;
    templates: TemplatesModel;
  }
}
