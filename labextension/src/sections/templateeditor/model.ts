import type { SlurmClient } from '../../api/client';
import type {
  Preview,
  Template,
  TemplateNote,
  TemplateProblem
} from '../../api/types';
import { Observable } from '../../observable';
import { Problem, type IFieldError } from '../../problem';
import { valueAt, type Doc } from './document';

/** Milliseconds between the last key and the question what is wrong. */
const PAUSE = 250;

export type View = 'form' | 'yaml' | 'versions';

export interface IText {
  text: string;
  hash: string;
}

/** What is kept of an editor until its text is saved. */
export interface ITemplateDraft {
  id: string | null;
  text: string;
  base: IText | null;
  /** Values of the form that are not in the text yet. */
  pending: Doc | null;
  /** What a human must look at, of a text that was made from something else. */
  notes?: readonly TemplateNote[];
}

export interface ITemplateDrafts {
  load(key: string): Promise<ITemplateDraft | null>;
  /** `null`: nothing to keep. */
  save(key: string, draft: ITemplateDraft | null): void;
}

/**
 * One template in an editor.
 *
 * The text is the truth. The form changes the document, and the server writes that into the text, where comments and
 * order stay; until it has, the change is `pending`. Whatever was typed is kept as a draft until it is saved.
 */
export class TemplateEditorModel extends Observable {
  constructor(options: TemplateEditorModel.IOptions) {
    super();
    this.key = options.key;
    this.id = options.id ?? null;
    this._client = options.client;
    this._drafts = options.drafts;
    this._initial = options.text ?? null;
    this.notes = options.notes ?? [];
    this.view = options.view ?? 'form';
  }

  /** Under which the draft is kept. */
  readonly key: string;
  /** null: not saved yet. */
  id: string | null;
  text = '';
  /** What the text was made from. */
  base: IText | null = null;
  /** The text as data; null while it is no YAML. */
  document: Doc | null = null;
  pending: Doc | null = null;
  template: Template | null = null;
  problem: TemplateProblem | null = null;
  errors: ReadonlyArray<IFieldError> = [];
  /** The file as others left it, while there are changes here. */
  theirs: IText | null = null;
  merging = false;
  /** The file is no longer there. */
  gone = false;
  canEdit = true;
  source: Template['source'] = 'private';
  view: View;
  loaded = false;
  /** What a human must look at before the text is saved. */
  notes: readonly TemplateNote[];
  saving = false;
  checking = false;
  /** The draft of an earlier visit was found. */
  recovered = false;
  error: unknown = null;
  preview: Preview | null = null;
  previewError: unknown = null;

  get dirty(): boolean {
    return (
      this.pending !== null ||
      (this.base ? this.text !== this.base.text : this.text !== '')
    );
  }

  /** What people call it; while the text cannot be read, as it was called before. */
  get title(): string {
    return this._title || (this.id ?? '');
  }

  async load(): Promise<void> {
    const draft = await this._drafts.load(this.key);
    const id = draft?.id ?? this.id;
    this.id = id;
    this.error = null;
    try {
      const now = id ? await this._read(id) : null;
      this.base = draft ? draft.base : now;
      this.text = draft?.text ?? now?.text ?? this._initial ?? '';
      this.pending = draft?.pending ?? null;
      this.notes = draft?.notes ?? this.notes;
      this.recovered = Boolean(draft);
      if (draft && now) {
        this._meet(now);
      }
    } catch (error) {
      if (draft) {
        Object.assign(this, { ...draft, recovered: true });
        this.gone = isGone(error);
      }
      this.error = this.gone ? null : error;
    }
    this.loaded = true;
    this.notify();
    if (this.text || this.pending) {
      this._keep();
      await Promise.all([this.check(), this.refreshPreview()]);
    }
  }

  setText(text: string): void {
    if (text !== this.text && this.canEdit) {
      this.text = text;
      this._touched();
    }
  }

  /** The form's next values. */
  edit(document: Doc): void {
    if (this.canEdit) {
      this._show(document);
      this.pending = document;
      this._touched();
    }
  }

  /** Show another view; what the form has goes into the text first. */
  async setView(view: View): Promise<void> {
    await this.flush();
    if (this.pending === null || view !== 'yaml') {
      this.view = view;
    }
    this.notify();
  }

  setMerging(merging: boolean): void {
    this.merging = merging && this.theirs !== null;
    this.notify();
  }

  /** The text that was made of both. */
  resolve(text: string): void {
    this.base = this.theirs;
    this.theirs = null;
    this.merging = false;
    this.pending = null;
    this.error = null;
    this.text = text;
    this._touched();
  }

  /** Back to the text on the disk. */
  async discard(): Promise<void> {
    this.text = this.theirs?.text ?? this.base?.text ?? '';
    this.base = this.theirs ?? this.base;
    this.theirs = null;
    this.pending = null;
    this.recovered = false;
    this._keep();
    this.notify();
    await this.check();
  }

  /** The user has looked at them. */
  dismissNotes(): void {
    this.notes = [];
    this._keep();
    this.notify();
  }

  /** Ask now what waits to be asked. */
  async flush(): Promise<void> {
    await this._checked;
    // Also when the last answer did not come.
    if (this._timer !== undefined || this.pending) {
      await this.check();
    }
  }

  check(): Promise<void> {
    clearTimeout(this._timer);
    this._timer = undefined;
    this._checked = this._check(++this._turn);
    return this._checked;
  }

  /** Save; true when it is on the disk. */
  async save(): Promise<boolean> {
    if (this.saving || !this.canEdit) {
      return false;
    }
    this.saving = true;
    this.error = null;
    this.notify();
    try {
      await this.flush();
      if (this.pending) {
        return false;
      }
      const { text } = this;
      const saved =
        this.id && this.base && !this.gone
          ? await this._client.saveTemplate(this.id, text, this.base.hash)
          : await this._client.createTemplate(text);
      this._took(saved, { text, hash: saved.hash });
      return true;
    } catch (error) {
      this.error = error;
      if (error instanceof Problem && error.current) {
        this.theirs = error.current;
        this.merging = true;
        this.error = null;
      }
      return false;
    } finally {
      this.saving = false;
      this.notify();
    }
  }

  /** Something changed on the disk. */
  async onChanged(ids: readonly string[] | null): Promise<void> {
    if (!this.id || (ids && !ids.includes(this.id)) || this.saving) {
      return;
    }
    try {
      const now = await this._read(this.id);
      this.gone = false;
      if (!this._meet(now)) {
        return;
      }
    } catch (error) {
      this.gone = isGone(error);
    }
    this.notify();
  }

  async refreshPreview(): Promise<void> {
    if (!this.id || this.gone) {
      return;
    }
    this._previewing?.abort();
    const abort = (this._previewing = new AbortController());
    try {
      this.preview = await this._client.generateScript(this.id, abort.signal);
      this.previewError = null;
    } catch (error) {
      if (abort.signal.aborted) {
        return;
      }
      this.previewError = error;
    }
    this.notify();
  }

  override dispose(): void {
    clearTimeout(this._timer);
    this._previewing?.abort();
    super.dispose();
  }

  private async _read(id: string): Promise<IText> {
    const [now, found] = await Promise.all([
      this._client.getTemplateText(id),
      this._client.getTemplate(id)
    ]);
    this.canEdit = found.can_edit !== false && found.source !== 'archived';
    this.source = found.source;
    return now;
  }

  /** The file as it is now beside what is here; false when nothing is to be shown of it. */
  private _meet(now: IText): boolean {
    if (now.hash === this.base?.hash) {
      this.theirs = null;
    } else if (!this.dirty || now.text === this.text) {
      const other = now.text !== this.text;
      this.base = now;
      this.theirs = null;
      this.text = now.text;
      this._keep();
      if (other && this.loaded) {
        void this.check();
      }
      void this.refreshPreview();
    } else if (now.hash !== this.theirs?.hash) {
      this.theirs = now;
    } else {
      return false;
    }
    return true;
  }

  private _took(saved: Template, base: IText): void {
    this.id = saved.id;
    this.base = base;
    this.theirs = null;
    this.gone = false;
    this.recovered = false;
    this.template = saved;
    this.source = saved.source;
    this._keep();
    void this.refreshPreview();
  }

  private _show(document: Doc | null): void {
    this.document = document;
    const named = ['display_name', 'name', 'id']
      .map(name => valueAt(document, ['template', name]))
      .find(name => typeof name === 'string' && name !== '');
    this._title = named ? String(named) : this._title;
  }

  private _touched(): void {
    this._keep();
    clearTimeout(this._timer);
    this._turn += 1;
    this._timer = setTimeout(() => void this.check(), PAUSE);
    this.notify();
  }

  private _keep(): void {
    const { id, text, base, pending, notes } = this;
    const noted = notes.length ? { notes } : {};
    this._drafts.save(
      this.key,
      this.dirty ? { id, text, base, pending, ...noted } : null
    );
  }

  private async _check(turn: number): Promise<void> {
    const { text, pending } = this;
    this.checking = true;
    try {
      const found = await this._client.checkTemplate(
        text,
        pending ?? undefined
      );
      if (turn !== this._turn) {
        return;
      }
      this.text = found.text;
      this.pending = null;
      this._show((found.document as Doc | null) ?? null);
      this.template = found.template;
      this.problem = found.problem;
      this.errors = found.errors;
      if (this.error instanceof Problem && this.error.code !== 'conflict') {
        this.error = null;
      }
      this._keep();
    } catch (error) {
      if (turn === this._turn) {
        this.error = error;
      }
    } finally {
      this.checking = turn !== this._turn;
      this.notify();
    }
  }

  private readonly _client: TemplateEditorModel.IClient;
  private readonly _drafts: ITemplateDrafts;
  private readonly _initial: string | null;
  private _title = '';
  private _turn = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _checked: Promise<void> = Promise.resolve();
  private _previewing: AbortController | null = null;
}

function isGone(error: unknown): boolean {
  return error instanceof Problem && error.status === 404;
}

export namespace TemplateEditorModel {
  export type IClient = Pick<
    SlurmClient,
    | 'getTemplate'
    | 'getTemplateText'
    | 'createTemplate'
    | 'saveTemplate'
    | 'checkTemplate'
    | 'generateScript'
    | 'listTemplateVersions'
    | 'getTemplateVersion'
    | 'restoreTemplateVersion'
  >;
  export interface IOptions {
    key: string;
    id?: string | null;
    /** Of a template that is not saved yet. */
    text?: string;
    notes?: readonly TemplateNote[];
    view?: View;
    client: IClient;
    drafts: ITemplateDrafts;
  }
}
