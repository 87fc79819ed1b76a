import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { Upload, type DetailedError, type UploadOptions } from 'tus-js-client';

import { Problem } from '../problem';
import { ChunkClock, FIRST_CHUNK } from './chunkclock';
import { problemOf } from './client';
import { lineOrFile } from './fingerprint';
import { sendForm, type IForm, type IFormTarget } from './formupload';
import { authenticate } from './headers';

/** The name of the fingerprint in tus' metadata, which the server keeps and gives back. */
const MARK = 'fingerprint';

/** Where one file goes and who hears of it. */
export interface IUploadTarget {
  /** The session's tus collection, as the server gave it. */
  tusUrl: string;
  /** The file's name, or its path in the folder that was chosen. */
  name: string;
  /** The template's slot the user chose; found by pattern without one. */
  slot?: string;
  /** Take the place of the file of this name. */
  replace?: boolean;
  /** See `fingerprint`; empty for none. */
  fingerprint: string;
  /** Go on with this upload, which the server has begun. */
  fileId: string | null;
  onProgress: (sent: number, total: number) => void;
  /** The server knows the upload under this id from now on. */
  onCreated: (fileId: string) => void;
  onDone: () => void;
  onError: (problem: Problem) => void;
}

/** One upload under way. */
export interface IUpload {
  /** Stop; what was acknowledged stays. */
  stop(): void;
}

/** What the server has of an upload. */
export interface IUploadState {
  offset: number;
  /** Empty when whoever began it gave none. */
  fingerprint: string;
}

/** Sends files by tus 1.0.0, and many small ones in a form, on JupyterLab's own connection settings. */
export class Uploader {
  constructor(options: Uploader.IOptions = {}) {
    this._settings = options.serverSettings ?? ServerConnection.makeSettings();
  }

  /** Send one file, or what the server does not have of it. */
  send(file: File, target: IUploadTarget): IUpload {
    return new TusUpload(file, target, this._settings);
  }

  /** Send many small files in one request: all of them arrive, or none. */
  sendForm(form: IForm, target: IFormTarget): IUpload {
    return sendForm(form, target, this._settings);
  }

  /** Ask how far an upload has come and of which file it is. Rejects with a `Problem`. */
  async look(tusUrl: string, fileId: string): Promise<IUploadState> {
    const url = fileUrl(this._settings, tusUrl, fileId);
    const init = { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } };
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch (error) {
      throw new Problem({ code: 'network', detail: String(error) });
    }
    if (!response.ok) {
      throw problemOf(response.status, '', '', 0);
    }
    return {
      offset: Number(response.headers.get('Upload-Offset')) || 0,
      fingerprint: markOf(response.headers.get('Upload-Metadata') ?? '')
    };
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
    const { name, slot, replace, fileId } = target;
    const options: UploadOptions = {
      // Without an endpoint, an upload that the server does not know any more is an error, not a second file.
      ...(fileId
        ? { uploadUrl: fileUrl(settings, target.tusUrl, fileId) }
        : { endpoint: new URL(target.tusUrl, settings.baseUrl).href }),
      metadata: {
        filename: name.slice(name.lastIndexOf('/') + 1),
        ...(name.includes('/') ? { relativePath: name } : {}),
        filetype: file.type || 'application/octet-stream',
        ...(slot ? { slot } : {}),
        ...(replace ? { clash: 'replace' } : {}),
        ...(target.fingerprint ? { [MARK]: target.fingerprint } : {})
      },
      // What has been sent is the server's to know; its session is asked, not this browser's storage.
      storeFingerprintForResuming: false,
      fingerprint: async () => '',
      chunkSize: FIRST_CHUNK,
      // When to try again is decided for all files together.
      retryDelays: null,
      onBeforeRequest: request => {
        authenticate(
          (header, value) => request.setHeader(header, value),
          settings,
          request.getUnderlyingObject() as XMLHttpRequest | undefined
        );
        clock.begin();
      },
      onProgress: (sent, total) => target.onProgress(sent, total),
      onChunkComplete: size => {
        this._upload.options.chunkSize = clock.next(size);
      },
      onUploadUrlAvailable: () => {
        const id = this._upload.url?.split('/').pop()?.split('?')[0];
        target.onCreated(decodeURIComponent(id ?? ''));
      },
      onSuccess: () => target.onDone(),
      onError: error =>
        void lineOrFile(uploadProblem(error), [file]).then(target.onError)
    };
    this._upload = new Upload(file, options);
    this._upload.start();
  }

  stop(): void {
    void this._upload.abort();
  }

  private readonly _upload: Upload;
}

function fileUrl(
  settings: ServerConnection.ISettings,
  tusUrl: string,
  fileId: string
): string {
  const collection = new URL(tusUrl, settings.baseUrl).href;
  return URLExt.join(collection, encodeURIComponent(fileId));
}

/** The fingerprint in tus' metadata (`name base64,…`). */
export function markOf(metadata: string): string {
  const pair = metadata
    .split(',')
    .map(text => text.trim().split(' '))
    .find(([name]) => name === MARK);
  try {
    return pair?.[1] ? atob(pair[1]) : '';
  } catch {
    return '';
  }
}

/** What the server said of a refused upload, or that it did not answer. */
function uploadProblem(error: Error | DetailedError): Problem {
  if (!('originalRequest' in error)) {
    // The browser could not read the file: it was changed, moved or unplugged.
    return new Problem({ code: 'unreadable', detail: error.message });
  }
  const response = error.originalResponse;
  if (!response || !response.getStatus()) {
    return new Problem({ code: 'network', detail: error.message });
  }
  return problemOf(
    response.getStatus(),
    response.getHeader('Content-Type') ?? '',
    response.getBody(),
    Number(response.getHeader('Retry-After')) || 0
  );
}
