import type { JobSubmit, Preview } from '../../api/types';
import { Observable } from '../../observable';
import type { IDraft } from './draft';
import { answer, readInto, takeOver, typed, type IConflict } from './edit';
import { Previewer } from './previewer';

/** The script of the draft: as the server writes it, and as the user changes it by hand. */
export class ScriptModel extends Observable {
  constructor(options: ScriptModel.IOptions) {
    super();
    this._options = options;
    this._previewer = new Previewer({
      ask: options.ask,
      body: options.body,
      onAnswer: preview => this._onAnswer(preview)
    });
    this._previewer.changed.connect(() => this.notify());
  }

  /** The script and its checks as the server has them; null before the first answer, and after a failure. */
  get preview(): Preview | null {
    return this._previewer.preview;
  }

  get error(): unknown {
    return this._previewer.error;
  }

  /** Is the answer to what is in the form now still to come? */
  get pending(): boolean {
    return this._previewer.pending;
  }

  /** The script in sight: the user's own, else the last one that could be written. */
  get text(): string {
    return this._draft.edit?.text ?? this._previewer.generated;
  }

  /** Does `preview` describe the script in sight, line by line? */
  get isCurrent(): boolean {
    return this.preview !== null && this.preview.script === this.text;
  }

  /** The script as someone types it: what can be read of it goes to the form. */
  type(text: string): void {
    if (text !== this.text) {
      this._typing = true;
      this._options.change(typed(this._draft, this._previewer.generated, text));
    }
  }

  /** The typing is over: what was read of it stands from now on where the form writes it. */
  leave(): void {
    this._typing = false;
    if (this._draft.edit?.before && !this.pending && this.preview) {
      this._onAnswer(this.preview);
      this.notify();
    }
  }

  /** Without what was written by hand; `undo` brings it back. */
  drop(): void {
    this._typing = false;
    const { edit, dropped } = this._draft;
    this._options.change({
      ...this._draft,
      edit: null,
      dropped: edit ?? dropped
    });
  }

  undo(): void {
    const { dropped } = this._draft;
    if (dropped) {
      this._options.change({ ...this._draft, edit: dropped, dropped: null });
    }
  }

  /** One's own lines stay, or give way to what the form wants there. */
  answer(conflict: IConflict, take: 'mine' | 'form'): void {
    const { edit } = this._draft;
    if (edit) {
      this._options.change({
        ...this._draft,
        edit: answer(edit, conflict, take)
      });
    }
  }

  /** The form has changed. */
  schedule(): void {
    this._previewer.schedule();
  }

  /** Resolves when the script in sight is the one of what is in the form, or cannot be had. */
  async settled(): Promise<void> {
    this.leave();
    await this._previewer.current();
  }

  /** What the server read of the script goes to the form. */
  private _onAnswer(preview: Preview): void {
    const draft = this._draft;
    if (!draft.edit || !preview.script) {
      return;
    }
    this._options.onRead(
      this._typing ? readInto(draft, preview) : takeOver(draft, preview)
    );
    if (!this._typing && Object.keys(draft.edit.since).length) {
      this.schedule();
    }
  }

  private get _draft(): IDraft {
    return this._options.draft();
  }

  private readonly _options: ScriptModel.IOptions;
  private readonly _previewer: Previewer;
  /** Is someone typing in the script? Then its text is left alone. */
  private _typing = false;
}

export namespace ScriptModel {
  export interface IOptions {
    ask: (body: JobSubmit, signal: AbortSignal) => Promise<Preview>;
    /** The form as it is now; null while there is nothing in it. */
    body: () => JobSubmit | null;
    draft: () => IDraft;
    /** The user changed the draft. */
    change: (draft: IDraft) => void;
    /** The draft after the script was read. */
    onRead: (draft: IDraft) => void;
  }
}
