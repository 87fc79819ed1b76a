import { Signal, type ISignal } from '@lumino/signaling';

/**
 * Something whose state views show.
 *
 * `version` rises with every change, so that a view can tell "changed" from "the same" without comparing state.
 */
export class Observable {
  /** Emitted after every change. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get version(): number {
    return this._version;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  protected notify(): void {
    if (!this._isDisposed) {
      this._version += 1;
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _version = 0;
  private _isDisposed = false;
}
