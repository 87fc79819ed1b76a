import type { JobSubmit, Preview } from '../../api/types';
import { Observable } from '../../observable';

/** Milliseconds without a change before the script is asked for. */
const DEBOUNCE = 250;

/** The script as the server would write it, asked for anew when the form has changed and typing has paused. */
export class Previewer extends Observable {
  constructor(options: Previewer.IOptions) {
    super();
    this._ask = options.ask;
    this._body = options.body;
    this._onAnswer = options.onAnswer;
  }

  /** The latest answer; null before the first, and after a failure. */
  preview: Preview | null = null;
  /** The last script that could be generated; shown while the form has faults. */
  generated = '';
  error: unknown = null;
  /** Is an answer to what is in the form now still to come? */
  pending = false;

  /** The form has changed. */
  schedule(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
    this._abort?.abort();
    this._abort = null;
    if (this._body() === null) {
      this.preview = null;
      this.error = null;
      this.pending = false;
      this.generated = '';
      this.notify();
      return;
    }
    this.pending = true;
    this._timer = setTimeout(() => this._begin(), DEBOUNCE);
    this.notify();
  }

  /** Resolves when the answer to what is in the form now is there, or has failed; does not wait for a pause. */
  async current(): Promise<void> {
    while (this.pending) {
      if (this._timer !== undefined) {
        this._begin();
      }
      await this._asking;
    }
  }

  private _begin(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
    this._asking = this._request();
  }

  private async _request(): Promise<void> {
    const body = this._body();
    if (body === null) {
      return;
    }
    const abort = new AbortController();
    this._abort = abort;
    try {
      const preview = await this._ask(body, abort.signal);
      if (abort.signal.aborted) {
        return;
      }
      this.preview = preview;
      this.generated = preview.generated || preview.script || this.generated;
      this.error = null;
    } catch (error) {
      if (abort.signal.aborted) {
        return;
      }
      this.preview = null;
      this.error = error;
    }
    this.pending = false;
    if (this.preview) {
      this._onAnswer(this.preview);
    }
    this.notify();
  }

  private readonly _ask: Previewer.IOptions['ask'];
  private readonly _body: Previewer.IOptions['body'];
  private readonly _onAnswer: Previewer.IOptions['onAnswer'];
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _abort: AbortController | null = null;
  private _asking: Promise<void> = Promise.resolve();
}

export namespace Previewer {
  export interface IOptions {
    ask: (body: JobSubmit, signal: AbortSignal) => Promise<Preview>;
    /** The form as it is now; null while there is nothing in it. */
    body: () => JobSubmit | null;
    /** Called with each answer before views hear of it. */
    onAnswer: (preview: Preview) => void;
  }
}
