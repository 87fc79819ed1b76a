/** One thing wrong in an input; `pointer` is a JSON Pointer into it. */
export interface IFieldError {
  pointer: string;
  message: string;
}

/**
 * An answer that is an error: the server's problem document (RFC 9457), or what stands for one.
 *
 * `code` is the stable word behind `slurmdash:` in `type`; our own are `network` (no answer came) and
 * `no-server-extension` (Jupyter answered, but knows nothing of us).
 */
export class Problem extends Error {
  constructor(options: Problem.IOptions) {
    super(options.detail || options.title || options.code);
    this.name = 'Problem';
    this.code = options.code;
    this.status = options.status ?? 0;
    this.title = options.title ?? '';
    this.detail = options.detail ?? '';
    this.errors = options.errors ?? [];
    this.requestId = options.requestId ?? '';
    this.retryAfter = options.retryAfter ?? 0;
    this.current = options.current ?? null;
  }

  readonly code: string;
  /** HTTP status, 0 when there was no answer. */
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: ReadonlyArray<IFieldError>;
  readonly requestId: string;
  /** Seconds to wait before another try, 0 when not said. */
  readonly retryAfter: number;
  /** Of a refused save: what is there now. */
  readonly current: { text: string; hash: string } | null;
}

export namespace Problem {
  export interface IOptions {
    code: string;
    status?: number;
    title?: string;
    detail?: string;
    errors?: ReadonlyArray<IFieldError>;
    requestId?: string;
    retryAfter?: number;
    current?: { text: string; hash: string } | null;
  }
}
