import { PageConfig } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import {
  Upload,
  type DetailedError,
  type HttpRequest,
  type UploadOptions
} from 'tus-js-client';

import { Problem } from '../problem';
import { problemOf } from './client';

const MIB = 1024 * 1024;

/** The first request's bytes, before the speed is known. */
const FIRST_CHUNK = 32 * MIB;
const SMALLEST_CHUNK = 4 * MIB;
const LARGEST_CHUNK = 1024 * MIB;

/** Seconds that one request should last; JupyterHub's proxy ends any request at 300 s. */
const CHUNK_SECONDS = 20;

const RETRY_DELAYS = [0, 1000, 3000, 5000];

/** Where an upload goes and who hears of it. */
export interface IUploadTarget {
  sessionId: string;
  /** The session's tus collection, as the server gave it. */
  tusUrl: string;
  /** The template's slot the user chose; found by pattern without one. */
  slot?: string;
  onProgress: (sent: number, total: number) => void;
  /** The server knows the upload under this id from now on. */
  onCreated?: (fileId: string) => void;
  onDone: () => void;
  onError: (problem: Problem) => void;
}

/** One upload under way. */
export interface IUpload {
  /** Begin, or go on from where the server stands. */
  start(): Promise<void>;
  /** Stop; what was acknowledged stays. */
  pause(): Promise<void>;
  /** Stop, and free the space on the server. */
  cancel(): Promise<void>;
}

/** Sends files by tus 1.0.0 on JupyterLab's own connection settings. */
export class Uploader {
  constructor(options: Uploader.IOptions = {}) {
    this._settings = options.serverSettings ?? ServerConnection.makeSettings();
  }

  create(file: File, target: IUploadTarget): IUpload {
    return new TusUpload(file, target, this._settings);
  }

  private readonly _settings: ServerConnection.ISettings;
}

export namespace Uploader {
  export interface IOptions {
    serverSettings?: ServerConnection.ISettings;
  }
}

class TusUpload implements IUpload {
  constructor(
    file: File,
    target: IUploadTarget,
    settings: ServerConnection.ISettings
  ) {
    const clock = new ChunkClock();
    const options: UploadOptions = {
      endpoint: new URL(target.tusUrl, settings.baseUrl).href,
      metadata: {
        filename: file.name,
        filetype: file.type || 'application/octet-stream',
        ...(target.slot ? { slot: target.slot } : {})
      },
      fingerprint: async () => fingerprint(file, target.sessionId),
      removeFingerprintOnSuccess: true,
      chunkSize: FIRST_CHUNK,
      retryDelays: RETRY_DELAYS,
      onBeforeRequest: request => {
        authenticate(request, settings);
        clock.begin();
      },
      onProgress: target.onProgress,
      onChunkComplete: size => {
        this._upload.options.chunkSize = clock.next(size);
      },
      onUploadUrlAvailable: () => {
        const id = this._upload.url?.split('/').pop()?.split('?')[0];
        target.onCreated?.(decodeURIComponent(id ?? ''));
      },
      onSuccess: target.onDone,
      onError: error => target.onError(uploadProblem(error))
    };
    this._upload = new Upload(file, options);
  }

  async start(): Promise<void> {
    if (!this._upload.url) {
      const [previous] = await this._upload.findPreviousUploads();
      if (previous) {
        this._upload.resumeFromPreviousUpload(previous);
      }
    }
    this._upload.start();
  }

  async pause(): Promise<void> {
    await this._upload.abort();
  }

  async cancel(): Promise<void> {
    await this._upload.abort(this._upload.url !== null);
  }

  private readonly _upload: Upload;
}

/** Chooses the size of the next request by how fast the last one was. */
export class ChunkClock {
  constructor(private readonly _now: () => number = () => performance.now()) {}

  begin(): void {
    this._began = this._now();
  }

  /** Bytes for the next request, after one of `size` bytes. */
  next(size: number): number {
    const seconds = Math.max(0.001, (this._now() - this._began) / 1000);
    const wanted = (size / seconds) * CHUNK_SECONDS;
    // At most four times the last: one lucky request says little.
    const bounded = Math.min(wanted, Math.max(size, SMALLEST_CHUNK) * 4);
    return Math.round(
      Math.min(LARGEST_CHUNK, Math.max(SMALLEST_CHUNK, bounded))
    );
  }

  private _began = 0;
}

/** The same file for the same session, also after a reload of the page. */
export function fingerprint(file: File, sessionId: string): string {
  return ['slurmdash', sessionId, file.name, file.size, file.lastModified].join(
    ':'
  );
}

function authenticate(
  request: HttpRequest,
  settings: ServerConnection.ISettings
): void {
  if (settings.token) {
    request.setHeader('Authorization', `token ${settings.token}`);
  }
  // Read for each request: it may be another after a login in another tab.
  const xsrf = xsrfCookie();
  if (xsrf) {
    request.setHeader('X-XSRFToken', xsrf);
  }
  const xhr = request.getUnderlyingObject() as XMLHttpRequest | undefined;
  if (xhr && PageConfig.getOption('serverWithCredentials') === 'true') {
    xhr.withCredentials = true;
  }
}

/** The last `_xsrf` cookie, as the server reads them. */
export function xsrfCookie(cookies: string = document.cookie): string {
  const values = cookies
    .split(';')
    .map(cookie => cookie.trim())
    .filter(cookie => cookie.startsWith('_xsrf='));
  return values.at(-1)?.slice('_xsrf='.length) ?? '';
}

/** What the server said of a refused upload, or that it did not answer. */
function uploadProblem(error: Error | DetailedError): Problem {
  const response = 'originalResponse' in error ? error.originalResponse : null;
  if (!response) {
    return new Problem({ code: 'network', detail: error.message });
  }
  return problemOf(
    response.getStatus(),
    response.getHeader('Content-Type') ?? '',
    response.getBody(),
    Number(response.getHeader('Retry-After')) || 0
  );
}
