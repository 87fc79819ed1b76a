import type {
  FileValidation,
  Image,
  Job,
  JobSubmit,
  Limits,
  Partition,
  Preflight,
  Preview,
  Template,
  TemplateSummary,
  UploadedFile,
  UploadSession
} from '../../../api/types';
import type { IForm, IFormTarget } from '../../../api/formupload';
import type {
  IUpload,
  IUploadState,
  IUploadTarget
} from '../../../api/uploader';
import { Observable } from '../../../observable';
import { Problem } from '../../../problem';
import type { NewJobModel } from '../model';

export const GONE = new Problem({ code: 'session-not-found', status: 404 });

/** A source with fixed items. */
export class Source<T> extends Observable {
  loaded = true;
  constructor(public items: T[]) {
    super();
  }
  async refresh(): Promise<void> {
    this.loaded = true;
    this.notify();
  }
}

export class Cluster extends Observable {
  partitions: Partition[] = [
    { name: 'cpu', is_default: true, state: 'up', nodes: ['n1'] },
    { name: 'gpu', is_default: false, state: 'up', nodes: ['n2'] }
  ];
}

export function summary(id: string): TemplateSummary {
  return {
    id,
    name: id.replace(/-v1$/, '').replaceAll('-', '_'),
    display_name: id,
    description: '',
    category: 'data',
    tags: [],
    version: '1.0.0',
    author: '',
    is_public: true,
    source: 'official',
    hash: '',
    modified_at: '',
    problem: null
  };
}

export function template(id: string): Template {
  return {
    ...summary(id),
    slurm: { partition: 'gpu', cpus_per_task: 8, time: '4:00:00' },
    apptainer: { image_name: 'torch.sif', app: '', bind: [] },
    files: {
      slots: [
        {
          name: 'script',
          pattern: '*.py',
          kind: 'input',
          required: true,
          description: '',
          type: 'code',
          max_size: null,
          format: ''
        }
      ],
      output_pattern: ''
    },
    parameters: {
      type: 'object',
      properties: {
        rate: { type: 'number', default: 0.1 },
        on: { type: 'boolean' }
      }
    },
    script: { pre_exec: '', main_exec: 'python', post_exec: '' },
    validation: { pre_submit: [], post_submit: [] },
    locks: { slurm: {}, parameters: {} },
    cloned_from: []
  };
}

export function image(id: string, name: string): Image {
  return {
    id,
    name,
    path: `/opt/${name}`,
    node: 'n2',
    nodes: ['n2'],
    partition: 'gpu',
    partitions: ['gpu'],
    type: 'compute',
    size: 1,
    version: '1',
    description: '',
    labels: {},
    apps: ['train'],
    is_active: true,
    signature: 'unsigned'
  };
}

export function job(id: string, state = 'PENDING'): Job {
  return {
    job_id: id,
    run_id: `run-${id}`,
    name: `job ${id}`,
    state,
    raw_state: state,
    user: 'me',
    submitted_at: '2026-01-01T00:00:00Z',
    cluster: 'c',
    workdir: '/w'
  };
}

/** A server's sessions and answers, in memory. */
export class FakeServer {
  session: UploadSession | null = null;
  validation: FileValidation = {
    valid: true,
    classified_files: {},
    errors: [],
    slots: []
  };
  preview: Preview | Problem = {
    script: '#!/bin/bash',
    checks: [],
    ready: true
  };
  previewed: JobSubmit[] = [];
  limits: Record<string, Limits> = {};
  limitsAsked: string[] = [];
  submissions: Array<{ body: JobSubmit; key: string }> = [];
  submitAnswers: Array<Job | Problem> = [job('1')];
  sessions = 0;
  deleted: string[] = [];
  free = 1e12;
  quota: Preflight['space']['quota'] = null;

  readonly client: NewJobModel.IClient = {
    createSession: async templateId => {
      this.sessions += 1;
      this.session = {
        session_id: `s${this.sessions}`,
        status: 'active',
        template_id: templateId,
        expires_at: '',
        chunk_size: 1,
        tus_url: `/tus/s${this.sessions}`,
        files: [],
        progress: 0,
        total_size: 0
      };
      return structuredClone(this.session);
    },
    getSession: async id => {
      if (this.session?.session_id !== id) {
        throw GONE;
      }
      return structuredClone(this.session);
    },
    preflight: async (_, files) => {
      const there = new Map(this.session!.files.map(file => [file.name, file]));
      return {
        ok: true,
        space: {
          needed: 0,
          free: this.free,
          promised: 0,
          enough: true,
          message: null,
          note: null,
          quota: this.quota
        },
        files: files.map(({ name, size }) => ({
          name,
          size,
          problem: name.includes('\n') ? 'Rename it.' : null
        })),
        clashes: files.flatMap(({ name }) => {
          const file = there.get(name);
          return file ? [{ name, file: structuredClone(file) }] : [];
        }),
        empty_slots: []
      };
    },
    addPath: async (_, path, slot) => {
      if (path === '/none') {
        throw new Problem({ code: 'invalid-input', status: 400 });
      }
      const file = this.file(path.split('/').pop()!, slot);
      file.origin = 'path';
      return file;
    },
    updateFile: async (_, fileId, { slot }) => {
      const file = this.session!.files.find(f => f.file_id === fileId)!;
      file.slot = slot ?? null;
      return file;
    },
    deleteFile: async (_, fileId) => {
      this.deleted.push(fileId);
      this.session!.files = this.session!.files.filter(
        file => file.file_id !== fileId
      );
    },
    listArchive: async () => ({
      format: 'zip',
      size: 1,
      unpacked: 1,
      total: 0,
      complete: true,
      stopped: null,
      notes: [],
      entries: []
    }),
    validateSession: async () => structuredClone(this.validation),
    getTemplate: async id => {
      if (id === 'missing') {
        throw new Problem({ code: 'template-not-found', status: 404 });
      }
      return template(id);
    },
    getLimits: async (partition, account, qos) => {
      this.limitsAsked.push([partition, account, qos].join(' ').trim());
      const limits = this.limits[partition];
      if (limits === undefined) {
        throw new Problem({ code: 'network' });
      }
      return { ...limits, partition };
    },
    previewJob: async body => {
      this.previewed.push(body);
      if (this.preview instanceof Problem) {
        throw this.preview;
      }
      return this.preview;
    },
    submitJob: async (body, key) => {
      this.submissions.push({ body, key });
      const answer =
        this.submitAnswers.length > 1
          ? this.submitAnswers.shift()!
          : this.submitAnswers[0];
      if (answer instanceof Problem) {
        throw answer;
      }
      return answer;
    }
  };

  /** Take all files of a form, as the server does. */
  takeForm({ form, target }: FakeUploader['forms'][number]): void {
    const done = form.files.map(({ name }) => this.file(name, form.slot));
    target.onDone(structuredClone(done));
  }

  /** A file of the session. */
  file(name: string, slot?: string, state = 'complete'): UploadedFile {
    const file: UploadedFile = {
      file_id: `f-${name}`,
      name,
      type: 'code',
      slot: slot ?? null,
      size: 10,
      offset: state === 'complete' ? 10 : 4,
      progress: 0,
      state: state as UploadedFile['state'],
      origin: 'upload',
      sha256: null,
      problem: null
    };
    const { files } = this.session!;
    this.session!.files = [...files.filter(old => old.name !== name), file];
    return file;
  }
}

/** Uploads that the test drives. */
export class FakeUploader {
  readonly uploads: Array<{
    file: File;
    target: IUploadTarget;
    stopped: boolean;
  }> = [];
  readonly forms: Array<{
    form: IForm;
    target: IFormTarget;
    stopped: boolean;
  }> = [];
  state: IUploadState = { offset: 4, fingerprint: '' };

  send(file: File, target: IUploadTarget): IUpload {
    const upload = { file, target, stopped: false };
    this.uploads.push(upload);
    return { stop: () => (upload.stopped = true) };
  }

  sendForm(form: IForm, target: IFormTarget): IUpload {
    const upload = { form, target, stopped: false };
    this.forms.push(upload);
    return { stop: () => (upload.stopped = true) };
  }

  async look(): Promise<IUploadState> {
    return this.state;
  }
}

/** Let files be read, which takes true time, and what follows happen. */
export async function reading(): Promise<void> {
  const { setImmediate } = jest.requireActual<{
    setImmediate: (then: (value: unknown) => void) => void;
  }>('timers');
  for (let turn = 0; turn < 10; turn++) {
    await new Promise(done => setImmediate(done));
    await settle(1);
  }
}

/** A promise that the test decides on. */
export function later<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

/** Let everything that waits happen. */
export async function settle(ms = 400): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}
