import { Signal, type ISignal } from '@lumino/signaling';

import type { SlurmClient } from '../../api/client';
import type { ISlurmEvent } from '../../api/events';
import type {
  Check,
  Image,
  Job,
  Partition,
  Preview,
  Template,
  TemplateSummary
} from '../../api/types';
import type { Uploader } from '../../api/uploader';
import type { RawValue } from '../../components/SchemaForm';
import { Observable } from '../../observable';
import { Problem } from '../../problem';
import {
  emptyDraft,
  partitionOf,
  restoreDraft,
  toSubmission,
  withTemplate,
  type IDraft
} from './draft';
import { FilesModel } from './files';

/** Milliseconds without a change before the script is asked for. */
const DEBOUNCE = 250;

/** Milliseconds before the submission is asked for again when no answer came. */
const RETRIES = [1000, 3000];

const RECENT = 8;

/** The examples' templates, the best first. */
const EXAMPLES = ['python-script-v1', 'shell-script-v1'];

/** What the form keeps across reloads. */
export interface IStored {
  draft: IDraft;
  recentTemplates: string[];
  recentImages: string[];
}

/** Where the draft is kept. */
export interface IDraftStore {
  load(): Promise<unknown>;
  save(stored: IStored): void;
}

/** Why the job cannot be submitted yet, or what to think about; `pointer` leads to the field. */
export interface IFinding {
  level: 'error' | 'warning';
  message: string;
  pointer: string;
}

/** Lists that the form chooses from; other sections own them. */
export interface ISource<T> extends Observable {
  readonly items: ReadonlyArray<T>;
  readonly loaded: boolean;
  refresh(): Promise<void>;
}

/** The new job: a draft, its files, its script as the server would write it, and the submission. */
export class NewJobModel extends Observable {
  constructor(options: NewJobModel.IOptions) {
    super();
    const { client, newKey } = options;
    this._client = client;
    this._store = options.store;
    this._newKey = newKey;
    this._sleep =
      options.sleep ?? (ms => new Promise(done => setTimeout(done, ms)));
    this.templates = options.templates;
    this.images = options.images;
    this.cluster = options.cluster;
    this.draft = emptyDraft(newKey());
    this.files = new FilesModel({ client, uploader: options.uploader, newKey });
    this.files.changed.connect(this._onFiles, this);
    for (const source of [this.templates, this.images, this.cluster]) {
      source.changed.connect(() => this.notify());
    }
  }

  readonly templates: ISource<TemplateSummary>;
  readonly images: ISource<Image>;
  readonly cluster: NewJobModel.ICluster;
  readonly files: FilesModel;

  draft: IDraft;
  template: Template | null = null;
  templateError: unknown = null;
  preview: Preview | null = null;
  /** The last script that could be written; shown while the form has faults. */
  script = '';
  previewError: unknown = null;
  previewing = false;
  submitting = false;
  submitted: Job | null = null;
  submitError: unknown = null;
  /** The draft that "Start afresh" put away. */
  putAway: IDraft | null = null;
  recentTemplates: string[] = [];
  recentImages: string[] = [];

  /** A job was submitted. */
  get jobSubmitted(): ISignal<this, Job> {
    return this._jobSubmitted;
  }

  /** The field at this JSON Pointer wants the focus. */
  get focusAsked(): ISignal<this, string> {
    return this._focusAsked;
  }

  get isEmpty(): boolean {
    return this.draft.templateId === null && this.draft.imageId === null;
  }

  get image(): Image | null {
    return (
      this.images.items.find(({ id }) => id === this.draft.imageId) ?? null
    );
  }

  /** The image that the template names, where the user chose none. */
  get templateImage(): Image | null {
    const name = this.template?.apptainer.image_name;
    const bare = (text: string) => text.replace(/\.sif$/i, '');
    return name
      ? (this.images.items.find(image => bare(image.name) === bare(name)) ??
          null)
      : null;
  }

  get apps(): string[] {
    return (this.image ?? this.templateImage)?.apps ?? [];
  }

  get partition(): Partition | null {
    return partitionOf(this.draft, this.template, this.cluster.partitions);
  }

  /** All that stands in the way, and all warnings, in the order of the form. */
  get findings(): IFinding[] {
    const checks: IFinding[] = [
      ...problemFindings(this.submitError),
      ...problemFindings(this.previewError),
      ...(this.preview?.checks ?? []).filter(isFinding)
    ];
    const seen = new Set<string>();
    return checks
      .map(finding => ({ ...finding, pointer: fieldPointer(finding.pointer) }))
      .filter(({ pointer, message }) => {
        const key = `${pointer}\n${message}`;
        return !seen.has(key) && seen.add(key);
      })
      .sort((one, other) => rank(one) - rank(other));
  }

  get errors(): IFinding[] {
    return this.findings.filter(({ level }) => level === 'error');
  }

  /** JSON Pointer → what is wrong with that field. */
  messages(level: IFinding['level']): Map<string, string> {
    const found = new Map<string, string>();
    for (const finding of this.findings) {
      if (finding.level === level && !found.has(finding.pointer)) {
        found.set(finding.pointer, finding.message);
      }
    }
    return found;
  }

  get canSubmit(): boolean {
    return (
      !this.isEmpty &&
      !this.submitting &&
      this.files.pending === 0 &&
      this.preview !== null &&
      this.errors.length === 0
    );
  }

  /** The draft of before the reload. */
  async restore(): Promise<void> {
    const stored = (await this._store.load().catch(() => null)) as Record<
      string,
      unknown
    > | null;
    // Whoever began to fill in the form meanwhile wins.
    if (this._touched) {
      return;
    }
    this.draft = restoreDraft(stored?.draft, this.draft.key);
    this.recentTemplates = strings(stored?.recentTemplates);
    this.recentImages = strings(stored?.recentImages);
    this.notify();
    await this._loadAll();
  }

  async selectTemplate(id: string | null): Promise<void> {
    if (id === this.draft.templateId && this.template) {
      return;
    }
    this._change(withTemplate(this.draft, id));
    if (id) {
      this.recentTemplates = recent(this.recentTemplates, id);
    }
    await this._loadTemplate();
  }

  selectImage(id: string | null): void {
    if (id) {
      this.recentImages = recent(this.recentImages, id);
    }
    this._change({ ...this.draft, imageId: id, app: null });
  }

  setApp(app: string): void {
    this._change({ ...this.draft, app: app || null });
  }

  setOption(name: string, value: string): void {
    this._change({
      ...this.draft,
      options: { ...this.draft.options, [name]: value }
    });
  }

  setParameter(name: string, value: RawValue): void {
    this._change({
      ...this.draft,
      parameters: { ...this.draft.parameters, [name]: value }
    });
  }

  setJobName(jobName: string): void {
    this._change({ ...this.draft, jobName });
  }

  /** An empty form; `undo` brings the old one back. */
  startAfresh(): void {
    const old = this.draft;
    this.files.clear();
    this.template = null;
    this.submitted = null;
    this._change({ ...emptyDraft(this._newKey()), kept: old.kept });
    this.putAway = old;
    this.notify();
  }

  async undo(): Promise<void> {
    const old = this.putAway;
    if (old) {
      this._filesKnown = false;
      this._change(old);
      await this._loadAll();
    }
  }

  /** Fill the form so that one more click runs a first job. */
  async tryExample(): Promise<void> {
    if (!this.templates.loaded) {
      await this.templates.refresh();
    }
    const id = EXAMPLES.find(example =>
      this.templates.items.some(item => item.id === example && !item.problem)
    );
    if (!id) {
      return;
    }
    await this.selectTemplate(id);
    const slot = this.template?.files.slots.find(item => item.required);
    if (
      slot &&
      this.files.validation?.slots.some(
        state => state.name === slot.name && state.state === 'ok'
      )
    ) {
      return;
    }
    const python = id === 'python-script-v1';
    const text = python ? PYTHON_EXAMPLE : SHELL_EXAMPLE;
    const name = python ? 'example.py' : 'example.sh';
    await this.files.add([new File([text], name)], slot?.name);
  }

  /** Ask for the focus of the field that a finding is about. */
  askFocus(pointer: string): void {
    this._focusAsked.emit(pointer);
  }

  async submit(): Promise<Job | null> {
    if (!this.canSubmit) {
      return null;
    }
    this.submitting = true;
    this.submitError = null;
    this.submitted = null;
    this.notify();
    try {
      const job = await this._submitOnce();
      this.submitted = job;
      this._refused = false;
      this._change({ ...this.draft, key: this._newKey() }, false);
      this._jobSubmitted.emit(job);
      void this.files.refresh();
      return job;
    } catch (error) {
      this.submitError = error;
      this._refused = error instanceof Problem && isRefusal(error);
      return null;
    } finally {
      this.submitting = false;
      this.notify();
    }
  }

  /** What other tabs and the file system did. */
  onEvent(event: ISlurmEvent): void {
    this.files.onEvent(event);
    if (event.channel === 'templates') {
      void this._loadTemplate();
    }
  }

  /** Look again at everything that the server may have changed. */
  refresh(): void {
    void this.files.refresh();
    this._schedule();
  }

  private async _submitOnce(): Promise<Job> {
    const body = toSubmission(this.draft, this.template);
    for (let attempt = 0; ; attempt++) {
      try {
        // The key makes asking again safe: the server answers with the same job.
        return await this._client.submitJob(body, this.draft.key);
      } catch (error) {
        const lost = error instanceof Problem && error.code === 'network';
        if (!lost || attempt >= RETRIES.length) {
          throw error;
        }
        await this._sleep(RETRIES[attempt]);
      }
    }
  }

  /** What the draft refers to. */
  private async _loadAll(): Promise<void> {
    const { sessionId } = this.draft;
    const [known] = await Promise.all([
      sessionId ? this.files.restore(sessionId) : true,
      this._loadTemplate()
    ]);
    this._filesKnown = known;
    this._onFiles();
    this._schedule();
  }

  private async _loadTemplate(): Promise<void> {
    const id = this.draft.templateId;
    this.files.setTemplate(id);
    if (id === null) {
      this.template = null;
      this.templateError = null;
      this._schedule();
      return;
    }
    try {
      const template = await this._client.getTemplate(id);
      if (id !== this.draft.templateId) {
        return;
      }
      this.template = template;
      this.templateError = null;
    } catch (error) {
      if (id !== this.draft.templateId) {
        return;
      }
      this.template = null;
      this.templateError = error;
    }
    this._schedule();
  }

  private _change(draft: IDraft, touched = true): void {
    this._touched = true;
    this.draft = draft;
    if (touched) {
      this.putAway = null;
      this.submitError = null;
      this.submitted = null;
      if (this._refused) {
        // Another request than the refused one: it needs a key of its own.
        this._refused = false;
        this.draft = { ...draft, key: this._newKey() };
      }
      this._schedule();
    }
    this._save();
    this.notify();
  }

  private _onFiles(): void {
    const { signature, sessionId } = this.files;
    const changed = sessionId !== this.draft.sessionId;
    // Until the draft's session was asked for, "none" does not mean that it is gone.
    if (changed && (sessionId !== null || this._filesKnown)) {
      this.draft = { ...this.draft, sessionId };
      this._save();
    }
    if (signature !== this._filesSeen) {
      this._filesSeen = signature;
      this._schedule();
    }
    this.notify();
  }

  private _save(): void {
    const { draft, recentTemplates, recentImages } = this;
    this._store.save({ draft, recentTemplates, recentImages });
  }

  private _schedule(): void {
    clearTimeout(this._timer);
    this._abort?.abort();
    this._abort = null;
    if (this.isEmpty) {
      this.preview = null;
      this.previewError = null;
      this.previewing = false;
      this.script = '';
      this.notify();
      return;
    }
    this.previewing = true;
    this._timer = setTimeout(() => void this._ask(), DEBOUNCE);
    this.notify();
  }

  private async _ask(): Promise<void> {
    const abort = new AbortController();
    this._abort = abort;
    try {
      const preview = await this._client.previewJob(
        toSubmission(this.draft, this.template),
        abort.signal
      );
      if (abort.signal.aborted) {
        return;
      }
      this.preview = preview;
      this.script = preview.script || this.script;
      this.previewError = null;
    } catch (error) {
      if (abort.signal.aborted) {
        return;
      }
      this.preview = null;
      this.previewError = error;
    }
    this.previewing = false;
    this.notify();
  }

  private readonly _client: NewJobModel.IClient;
  private readonly _store: IDraftStore;
  private readonly _newKey: () => string;
  private readonly _sleep: (ms: number) => Promise<unknown>;
  private readonly _jobSubmitted = new Signal<this, Job>(this);
  private readonly _focusAsked = new Signal<this, string>(this);
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _abort: AbortController | null = null;
  private _filesSeen = '';
  private _filesKnown = false;
  private _refused = false;
  private _touched = false;
}

export namespace NewJobModel {
  export type IClient = FilesModel.IClient &
    Pick<SlurmClient, 'getTemplate' | 'previewJob' | 'submitJob'>;
  export interface ICluster extends Observable {
    readonly partitions: ReadonlyArray<Partition>;
  }
  export interface IOptions {
    client: IClient;
    uploader: Pick<Uploader, 'create'>;
    templates: ISource<TemplateSummary>;
    images: ISource<Image>;
    cluster: ICluster;
    store: IDraftStore;
    /** A new random identifier. */
    newKey: () => string;
    sleep?: (ms: number) => Promise<unknown>;
  }
}

const PYTHON_EXAMPLE = `import platform
import time

print(f"Hello from {platform.node()}", flush=True)
for step in range(1, 6):
    print(f"step {step} of 5", flush=True)
    time.sleep(1)
print("done")
`;

const SHELL_EXAMPLE = `echo "Hello from $(hostname)"
for step in 1 2 3 4 5; do
  echo "step $step of 5"
  sleep 1
done
echo "done"
`;

/** The form's order; findings of fields further down come later, errors before warnings. */
const ORDER = [
  '/template_id',
  '/image_id',
  '/app',
  '/files',
  '/parameters',
  '/options',
  '/job_name',
  '/script'
];

function rank({ level, pointer }: IFinding): number {
  const at = ORDER.findIndex(field => pointer.startsWith(field));
  return (at < 0 ? ORDER.length : at) + (level === 'warning' ? 100 : 0);
}

/** The server's flat fields and the form's are the same ones. */
function fieldPointer(pointer: string): string {
  return pointer.replace(
    /^\/(partition|nodes|ntasks|time)(?=$|\/)/,
    '/options/$1'
  );
}

function isFinding(check: Check): check is Check & IFinding {
  return check.level !== 'ok';
}

/** A refused request as findings: each field's, else the whole. */
function problemFindings(error: unknown): IFinding[] {
  if (!(error instanceof Problem) || !error.errors.length) {
    return [];
  }
  return error.errors.map(({ pointer, message }) => ({
    level: 'error',
    message,
    pointer
  }));
}

/** The server understood and said no; nothing was submitted. */
function isRefusal(problem: Problem): boolean {
  return problem.status >= 400 && problem.status < 500;
}

function recent(list: ReadonlyArray<string>, id: string): string[] {
  return [id, ...list.filter(other => other !== id)].slice(0, RECENT);
}

function strings(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === 'string')
    : [];
}
