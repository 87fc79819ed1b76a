import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { Problem } from '../problem';
import type {
  FileValidation,
  Health,
  Image,
  ImageList,
  ImageMetadata,
  ImageRuns,
  ImageTask,
  ImageWhere,
  Job,
  JobFileList,
  JobList,
  JobSubmit,
  LogChunk,
  Node,
  Partition,
  Preview,
  Scan,
  Template,
  TemplateDraft,
  TemplateList,
  UploadedFile,
  UploadSession
} from './types';

/** Where all routes are, below Jupyter's base URL. */
const ROOT = 'slurmdash';

/** Rows asked for at once; the contract's maximum. */
const PAGE = 5000;

type Query = Record<string, string | number | boolean | undefined>;

interface IRequest {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** One function per operation of the contract. Every failure is a `Problem`. */
export class SlurmClient {
  constructor(options: SlurmClient.IOptions = {}) {
    this.serverSettings =
      options.serverSettings ?? ServerConnection.makeSettings();
  }

  readonly serverSettings: ServerConnection.ISettings;

  getHealth(): Promise<Health> {
    return this._json('GET', 'api/health');
  }

  listNodes(): Promise<{ nodes: Node[]; total: number }> {
    return this._json('GET', 'api/nodes');
  }

  listPartitions(): Promise<{ partitions: Partition[]; total: number }> {
    return this._json('GET', 'api/partitions');
  }

  listImages(): Promise<ImageList> {
    return this._json('GET', 'api/apptainer/images', {
      query: { limit: PAGE }
    });
  }

  getImage(id: string): Promise<Image> {
    return this._json('GET', imagePath(id));
  }

  getImageMetadata(id: string): Promise<ImageMetadata> {
    return this._json('GET', `${imagePath(id)}/metadata`);
  }

  getImageWhere(id: string): Promise<ImageWhere> {
    return this._json('GET', `${imagePath(id)}/where`);
  }

  getImageRuns(id: string): Promise<ImageRuns> {
    return this._json('GET', `${imagePath(id)}/runs`);
  }

  /** `app`: a template for this one only. */
  getImageDraft(id: string, app?: string): Promise<TemplateDraft> {
    return this._json('GET', `${imagePath(id)}/draft`, { query: { app } });
  }

  getImageDigest(id: string): Promise<ImageTask> {
    return this._json('GET', `${imagePath(id)}/digest`);
  }

  startImageDigest(id: string): Promise<ImageTask> {
    return this._json('POST', `${imagePath(id)}/digest`);
  }

  getImageVerification(id: string): Promise<ImageTask> {
    return this._json('GET', `${imagePath(id)}/verify`);
  }

  startImageVerification(id: string): Promise<ImageTask> {
    return this._json('POST', `${imagePath(id)}/verify`);
  }

  startScan(nodes?: string[]): Promise<Scan> {
    return this._json('POST', 'api/apptainer/scan', {
      body: nodes ? { nodes } : {}
    });
  }

  getScan(id: string): Promise<Scan> {
    return this._json('GET', `api/apptainer/scan/${encodeURIComponent(id)}`);
  }

  listTemplates(): Promise<TemplateList> {
    return this._json('GET', 'api/v2/templates', { query: { limit: PAGE } });
  }

  getTemplate(id: string): Promise<Template> {
    return this._json('GET', `api/v2/templates/${encodeURIComponent(id)}`);
  }

  rescanTemplates(): Promise<{ count: number; broken: number }> {
    return this._json('POST', 'api/v2/templates/scan', { body: {} });
  }

  createSession(templateId: string | null): Promise<UploadSession> {
    return this._json('POST', 'api/v2/upload/sessions', {
      body: { template_id: templateId }
    });
  }

  getSession(id: string): Promise<UploadSession> {
    return this._json('GET', sessionPath(id));
  }

  async deleteSession(id: string): Promise<void> {
    await this._send('DELETE', sessionPath(id));
  }

  addPath(id: string, path: string, slot?: string): Promise<UploadedFile> {
    return this._json('POST', `${sessionPath(id)}/paths`, {
      body: slot ? { path, slot } : { path }
    });
  }

  updateFile(
    id: string,
    fileId: string,
    change: { slot?: string | null; type?: string }
  ): Promise<UploadedFile> {
    return this._json('PATCH', filePath(id, fileId), { body: change });
  }

  async deleteFile(id: string, fileId: string): Promise<void> {
    await this._send('DELETE', filePath(id, fileId));
  }

  validateSession(id: string, templateId: string): Promise<FileValidation> {
    return this._json('POST', `${sessionPath(id)}/validate`, {
      body: { template_id: templateId }
    });
  }

  previewJob(job: JobSubmit, signal?: AbortSignal): Promise<Preview> {
    return this._json('POST', 'api/jobs/preview', { body: job, signal });
  }

  /** The same `key` never submits twice; an answer lost on the way may be asked for again with it. */
  submitJob(job: JobSubmit, key: string): Promise<Job> {
    return this._json('POST', 'api/jobs/submit', {
      body: job,
      headers: { 'Idempotency-Key': key }
    });
  }

  listJobs(limit = 200): Promise<JobList> {
    return this._json('GET', 'api/jobs', { query: { limit } });
  }

  getJob(id: string): Promise<Job> {
    return this._json('GET', jobPath(id));
  }

  cancelJob(id: string): Promise<Job> {
    return this._json('DELETE', jobPath(id));
  }

  async getJobScript(id: string): Promise<string> {
    return (await this._send('GET', `${jobPath(id)}/script`)).text();
  }

  /** `offset` in bytes; negative counts from the end. */
  readLog(
    id: string,
    stream: 'out' | 'err',
    offset: number,
    limit?: number
  ): Promise<LogChunk> {
    return this._json('GET', `${jobPath(id)}/log`, {
      query: { stream, offset, limit }
    });
  }

  listJobFiles(id: string): Promise<JobFileList> {
    return this._json('GET', `${jobPath(id)}/files`);
  }

  async readJobFile(id: string, path: string): Promise<Blob> {
    const file = path.split('/').map(encodeURIComponent).join('/');
    return (await this._send('GET', `${jobPath(id)}/files/${file}`)).blob();
  }

  private async _json<T>(
    method: string,
    path: string,
    request: IRequest = {}
  ): Promise<T> {
    const response = await this._send(method, path, request);
    return (await response.json()) as T;
  }

  private async _send(
    method: string,
    path: string,
    { query = {}, body, headers = {}, signal }: IRequest = {}
  ): Promise<Response> {
    const settings = this.serverSettings;
    const url = URLExt.join(settings.baseUrl, ROOT, path) + queryString(query);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        url,
        {
          method,
          headers:
            body === undefined
              ? headers
              : { 'Content-Type': 'application/json', ...headers },
          signal,
          // Lists carry an ETag: ask, but do not send again what is here.
          cache: 'no-cache',
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        },
        settings
      );
    } catch (error) {
      if (signal?.aborted) {
        throw new Problem({ code: 'aborted' });
      }
      throw new Problem({
        code: 'network',
        detail: error instanceof Error ? error.message : String(error)
      });
    }
    if (!response.ok) {
      throw await readProblem(response);
    }
    return response;
  }
}

export namespace SlurmClient {
  export interface IOptions {
    serverSettings?: ServerConnection.ISettings;
  }
}

/** The problem document of an answer; for one that is none of ours, what can be said of it. */
export async function readProblem(response: Response): Promise<Problem> {
  const kind = response.headers.get('Content-Type') ?? '';
  const body = await response.text().catch(() => '');
  return problemOf(
    response.status,
    kind,
    body,
    Number(response.headers.get('Retry-After')) || 0
  );
}

/** The same from its parts, for answers that are no `Response`. */
export function problemOf(
  status: number,
  kind: string,
  body: string,
  retryAfter = 0
): Problem {
  if (kind.includes('problem+json')) {
    try {
      const { type, title, detail, errors, request_id } = JSON.parse(body);
      return new Problem({
        code: String(type ?? '').replace(/^slurmdash:/, ''),
        status,
        title,
        detail,
        errors,
        requestId: request_id,
        retryAfter
      });
    } catch {
      // Not what it says it is: below.
    }
  }
  return new Problem({
    code: status === 404 ? 'no-server-extension' : `http-${status}`,
    status,
    title: `HTTP ${status}`,
    retryAfter
  });
}

function queryString(query: Query): string {
  const given = Object.entries(query).filter(
    ([, value]) => value !== undefined
  );
  return URLExt.objectToQueryString(
    Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
  );
}

function imagePath(id: string): string {
  return `api/apptainer/images/${encodeURIComponent(id)}`;
}

function sessionPath(id: string): string {
  return `api/v2/upload/sessions/${encodeURIComponent(id)}`;
}

function filePath(id: string, fileId: string): string {
  return `${sessionPath(id)}/files/${encodeURIComponent(fileId)}`;
}

function jobPath(id: string): string {
  return `api/jobs/${encodeURIComponent(id)}`;
}
