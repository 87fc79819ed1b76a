import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { Problem } from '../problem';
import type {
  ArchiveListing,
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
  Limits,
  LogChunk,
  Node,
  Partition,
  Preflight,
  Preview,
  Scan,
  Template,
  TemplateCheck,
  TemplateDraft,
  TemplateHealth,
  TemplateList,
  TemplateVersionList,
  TemplateVersionText,
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
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is. */
  text?: string;
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

  /** What jobs may ask for; the default account and QOS when they are empty. */
  getLimits(
    partition: string,
    account = '',
    qos = '',
    signal?: AbortSignal
  ): Promise<Limits> {
    const path = `api/partitions/${encodeURIComponent(partition)}/limits`;
    return this._json('GET', path, {
      query: { account: account || undefined, qos: qos || undefined },
      signal
    });
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

  listArchivedTemplates(): Promise<TemplateList> {
    return this._json('GET', 'api/v2/templates', {
      query: { limit: PAGE, source: 'archived' }
    });
  }

  getTemplate(id: string): Promise<Template> {
    return this._json('GET', templatePath(id));
  }

  /** The template's file as it is on the disk, and its hash. */
  async getTemplateText(id: string): Promise<{ text: string; hash: string }> {
    const path = `api/v2/templates/export/${encodeURIComponent(id)}`;
    const response = await this._send('GET', path);
    const hash = (response.headers.get('ETag') ?? '').replace(/^W\/|"/g, '');
    return { text: await response.text(), hash };
  }

  createTemplate(text: string): Promise<Template> {
    return this._json('POST', 'api/v2/templates', { body: { text } });
  }

  /** A file from elsewhere; with a free id when its own is taken. */
  importTemplate(text: string): Promise<Template> {
    return this._json('POST', 'api/v2/templates/import', {
      text,
      headers: { 'Content-Type': 'application/yaml' }
    });
  }

  /** A template made from a batch script; nothing is saved. `name`: for a script that names no job. */
  draftFromScript(script: string, name: string): Promise<TemplateDraft> {
    return this._json('POST', 'api/v2/templates/import/script', {
      body: { script, name }
    });
  }

  /** `hash`: of the text that the change is based on. */
  saveTemplate(id: string, text: string, hash: string): Promise<Template> {
    return this._json('PUT', templatePath(id), {
      body: { text },
      headers: { 'If-Match': `"${hash}"` }
    });
  }

  deleteTemplate(id: string, hash: string): Promise<Template> {
    return this._json('DELETE', templatePath(id), {
      headers: { 'If-Match': `"${hash}"` }
    });
  }

  cloneTemplate(id: string, name: string): Promise<Template> {
    return this._json('POST', `${templatePath(id)}/clone`, {
      body: { new_name: name }
    });
  }

  /** `act`: to the community shelf, back from it, or back from the archive. */
  moveTemplate(
    id: string,
    act: 'share' | 'unshare' | 'restore'
  ): Promise<Template> {
    return this._json('POST', `${templatePath(id)}/${act}`);
  }

  /** What a text would be; with `document`, the text after the document's values were written into it. */
  checkTemplate(
    text: string,
    document?: Record<string, unknown>,
    signal?: AbortSignal
  ): Promise<TemplateCheck> {
    return this._json('POST', 'api/v2/templates/check', {
      body: document ? { text, document } : { text },
      signal
    });
  }

  listTemplateVersions(id: string): Promise<TemplateVersionList> {
    return this._json('GET', `${templatePath(id)}/versions`);
  }

  getTemplateVersion(
    id: string,
    version: string
  ): Promise<TemplateVersionText> {
    return this._json('GET', versionPath(id, version));
  }

  restoreTemplateVersion(
    id: string,
    version: string,
    hash: string
  ): Promise<Template> {
    return this._json('POST', `${versionPath(id, version)}/restore`, {
      headers: { 'If-Match': `"${hash}"` }
    });
  }

  /** The script of a job of this template, with its defaults. */
  generateScript(id: string, signal?: AbortSignal): Promise<Preview> {
    return this._json('POST', `${templatePath(id)}/generate`, {
      body: {},
      signal
    });
  }

  /** What the last check found, and what became of your jobs. */
  getTemplateHealth(id: string): Promise<TemplateHealth> {
    return this._json('GET', `${templatePath(id)}/health`);
  }

  /** Have the template checked in the background; nothing is submitted. */
  startTemplateCheck(id: string): Promise<TemplateHealth> {
    return this._json('POST', `${templatePath(id)}/health`);
  }

  /** Have the official set checked; the ids of all that are under way. */
  startOfficialChecks(): Promise<{ running: string[] }> {
    return this._json('POST', 'api/v2/templates/health', { body: {} });
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

  /** What an archive holds; nothing is unpacked. */
  listArchive(
    id: string,
    fileId: string,
    limit: number
  ): Promise<ArchiveListing> {
    return this._json('GET', `${filePath(id, fileId)}/contents`, {
      query: { limit }
    });
  }

  /** What stands in the way of files of these names and sizes (bytes). */
  preflight(
    id: string,
    files: ReadonlyArray<{ name: string; size: number }>
  ): Promise<Preflight> {
    return this._json('POST', `${sessionPath(id)}/preflight`, {
      body: { files }
    });
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

  /** A template made from the job; nothing is saved. */
  getJobDraft(id: string): Promise<TemplateDraft> {
    return this._json('GET', `${jobPath(id)}/draft`);
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
    { query = {}, body, text, headers = {}, signal }: IRequest = {}
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
          ...(text === undefined ? {} : { body: text }),
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
      const { type, title, detail, errors, request_id, hash, text } =
        JSON.parse(body);
      return new Problem({
        code: String(type ?? '').replace(/^slurmdash:/, ''),
        status,
        title,
        detail,
        errors,
        requestId: request_id,
        current: typeof text === 'string' ? { text, hash } : null,
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

function templatePath(id: string): string {
  return `api/v2/templates/${encodeURIComponent(id)}`;
}

function versionPath(id: string, version: string): string {
  return `${templatePath(id)}/versions/${encodeURIComponent(version)}`;
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
