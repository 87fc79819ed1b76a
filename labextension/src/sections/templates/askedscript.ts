import type { SlurmClient } from '../../api/client';
import type { TemplateDraft } from '../../api/types';
import { Observable } from '../../observable';

/** The batch script that is asked for, to become a template; what is typed stays until it has become one. */
export class AskedScript extends Observable {
  constructor(options: AskedScript.IOptions) {
    super();
    this._client = options.client;
  }

  text = '';
  /** What the template is called when the script names no job. */
  name = '';
  /** Why it did not become one. */
  error: unknown = null;
  /** Is it asked for now? */
  open = false;

  /** Is a template being made of it? */
  get busy(): boolean {
    return this._making.has(this.text);
  }

  /** Ask for it; what was typed before stays. */
  ask(change: Partial<AskedScript.IContent> = {}): void {
    Object.assign(this, change);
    this.open = true;
    this.notify();
  }

  /** Put it away; it is there again when it is asked for again. */
  hide(): void {
    this.open = false;
    this.notify();
  }

  /** Is another script typed here, which must not be lost for this one? */
  holdsOther(text: string): boolean {
    return this.text.trim() !== '' && this.text !== text;
  }

  /** The draft of a template of this script or another; null where one is being made of it already. */
  async draftOf(text: string, name: string): Promise<TemplateDraft | null> {
    if (this._making.has(text)) {
      return null;
    }
    this._making.add(text);
    this.notify();
    try {
      const draft = await this._client.draftFromScript(text, name);
      if (!this.holdsOther(text)) {
        Object.assign(this, { text: '', name: '', error: null, open: false });
      }
      return draft;
    } finally {
      this._making.delete(text);
      this.notify();
    }
  }

  private readonly _client: AskedScript.IOptions['client'];
  private readonly _making = new Set<string>();
}

export namespace AskedScript {
  export type IContent = Pick<AskedScript, 'text' | 'name' | 'error'>;
  export interface IOptions {
    client: Pick<SlurmClient, 'draftFromScript'>;
  }
}
