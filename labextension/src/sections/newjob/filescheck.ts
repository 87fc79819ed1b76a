import type { SlurmClient } from '../../api/client';
import type { FileValidation, UploadSession } from '../../api/types';

/** How the session's files fit the slots of a template, as the server sees it. */
export class FilesCheck {
  constructor(private readonly _options: FilesCheck.IOptions) {}

  validation: FileValidation | null = null;

  get templateId(): string | null {
    return this._templateId;
  }
  set templateId(id: string | null) {
    this._templateId = id;
    this.validation = null;
    this.run();
  }

  /** Ask; the latest answer wins. */
  run(): void {
    const { _templateId: templateId } = this;
    const session = this._options.session();
    const turn = ++this._turn;
    if (!session || !templateId) {
      return;
    }
    this._options.client.validateSession(session.session_id, templateId).then(
      validation => {
        if (turn === this._turn) {
          this.validation = validation;
          this._options.onChange();
        }
      },
      () => {
        // The preview's own checks name the same faults.
      }
    );
  }

  /** The session is left: neither what was found of it counts, nor what is still asked about it. */
  clear(): void {
    this._turn += 1;
    this.validation = null;
  }

  private _templateId: string | null = null;
  private _turn = 0;
}

export namespace FilesCheck {
  export interface IOptions {
    client: Pick<SlurmClient, 'validateSession'>;
    session: () => UploadSession | null;
    onChange: () => void;
  }
}
