import type { SlurmClient } from '../../api/client';
import type { UploadSession } from '../../api/types';
import { isGone } from './filesqueue';

/**
 * Which session the files of one draft go to: the one it had before the reload, or one made with the first file.
 *
 * A new one is made only when the old one is known to be gone. Until then what is sent would go where the draft does
 * not look, or the draft would forget what was sent before.
 */
export class DraftSession {
  constructor(private readonly _options: DraftSession.IOptions) {}

  session: UploadSession | null = null;
  /** Why the session of before the reload could not be asked for; null when it is not waited for. */
  problem: unknown = null;
  /** Nobody wants it any more. */
  isLeft = false;

  /** The session, made when there is none. Rejects when the server cannot give it, or the draft was left meanwhile. */
  async ensure(): Promise<UploadSession> {
    while (!this.session) {
      if (this.isLeft) {
        throw new DOMException('The draft was left.', 'AbortError');
      }
      await this._open();
    }
    return this.session;
  }

  /** It still has this session, which it had when the server was asked. */
  isOn(sessionId: string): boolean {
    return this.session?.session_id === sessionId;
  }

  /** Take up a session; false when the server could not be asked whether it is there. */
  async restore(sessionId: string): Promise<boolean> {
    this.session = null;
    this.problem = null;
    this._wanted = sessionId;
    this._opening = null;
    await this.retry();
    return this.problem === null;
  }

  /** Ask once more for the session of before the reload, if it could not be asked for. */
  async retry(): Promise<void> {
    if (this._wanted !== null) {
      // Why not is in `problem`.
      await this._open().catch(() => undefined);
    }
  }

  /** What still comes is not taken. */
  leave(): void {
    this.isLeft = true;
    this._wanted = null;
    this.session = null;
    this.problem = null;
  }

  /** Ask the server for the session; several files dropped at once wait for one answer. */
  private _open(): Promise<void> {
    if (!this._opening) {
      const wanted = this._wanted;
      const opening = (
        wanted === null ? this._create() : this._find(wanted)
      ).finally(() => {
        if (this._opening === opening) {
          this._opening = null;
        }
      });
      this._opening = opening;
    }
    return this._opening;
  }

  private async _create(): Promise<void> {
    const session = await this._options.create();
    // One of before the reload may have come up meanwhile.
    if (!this.isLeft && this._wanted === null) {
      this.session = session;
      this._options.onChange();
    }
  }

  private async _find(wanted: string): Promise<void> {
    let found: UploadSession | null = null;
    let problem: unknown = null;
    try {
      found = await this._options.client.getSession(wanted);
    } catch (error) {
      problem = isGone(error) ? null : error;
    }
    if (this._wanted !== wanted) {
      return;
    }
    this.problem = problem;
    if (problem === null) {
      this._wanted = null;
      this.session = found;
    }
    if (found) {
      this._options.onFound(found);
    }
    this._options.onChange();
    if (problem !== null) {
      throw problem;
    }
  }

  /** The session of before the reload, until the server has said whether it is there. */
  private _wanted: string | null = null;
  private _opening: Promise<void> | null = null;
}

export namespace DraftSession {
  export interface IOptions {
    client: Pick<SlurmClient, 'getSession'>;
    create: () => Promise<UploadSession>;
    /** The session of before the reload is there. */
    onFound: (session: UploadSession) => void;
    onChange: () => void;
  }
}
