import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

import { Problem } from '../problem';
import { problemOf } from './client';
import { lineOrFile } from './fingerprint';
import { authenticate } from './headers';
import type { UploadedFile } from './types';

/** Files that go in one request. */
export interface IForm {
  /** Name, or path in a folder, and the file. */
  files: ReadonlyArray<{ name: string; file: File }>;
  /** The template's slot the user chose; found by pattern without one. */
  slot?: string;
  /** Take the places of files of the same names. */
  replace?: boolean;
}

export interface IFormTarget {
  sessionId: string;
  /** Bytes of the files that have left; about, the form's own lines are among them. */
  onProgress: (sent: number) => void;
  /** What the server made of the files, in their order. */
  onDone: (files: UploadedFile[]) => void;
  onError: (problem: Problem) => void;
}

/** Send files in a form. `fetch` cannot tell how far a request has come. */
export function sendForm(
  form: IForm,
  target: IFormTarget,
  settings: ServerConnection.ISettings
): { stop(): void } {
  const request = new XMLHttpRequest();
  let over = false;
  const end = (tell: () => void) => {
    if (!over) {
      over = true;
      tell();
    }
  };
  request.open(
    'POST',
    URLExt.join(
      settings.baseUrl,
      'slurmdash/api/v2/upload/sessions',
      encodeURIComponent(target.sessionId),
      'files'
    )
  );
  authenticate(
    (name, value) => request.setRequestHeader(name, value),
    settings,
    request
  );
  request.upload.onprogress = event => {
    if (!over) {
      target.onProgress(event.loaded);
    }
  };
  request.onload = () => end(() => conclude(request, target));
  request.onerror = () =>
    end(() => {
      const files = form.files.map(({ file }) => file);
      const problem = new Problem({ code: 'network' });
      void lineOrFile(problem, files).then(target.onError);
    });
  request.send(body(form));
  return {
    stop: () => {
      over = true;
      request.abort();
    }
  };
}

function body(form: IForm): FormData {
  const data = new FormData();
  // Fields hold for the files after them.
  if (form.replace) {
    data.append('clash', 'replace');
  }
  if (form.slot) {
    data.append('slot', form.slot);
  }
  for (const { name, file } of form.files) {
    data.append('file', file, name);
  }
  return data;
}

function conclude(request: XMLHttpRequest, target: IFormTarget): void {
  const { status, responseText: text } = request;
  const files = status === 201 ? filesOf(text) : null;
  if (files) {
    target.onDone(files);
    return;
  }
  const kind = request.getResponseHeader('Content-Type') ?? '';
  const wait = Number(request.getResponseHeader('Retry-After')) || 0;
  target.onError(problemOf(status, kind, text, wait));
}

function filesOf(text: string): UploadedFile[] | null {
  try {
    return (JSON.parse(text) as { files: UploadedFile[] }).files;
  } catch {
    return null;
  }
}
