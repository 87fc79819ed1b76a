import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';

import type { SlurmClient } from '../../api/client';
import type { ISlurmEvent } from '../../api/events';
import type {
  Image,
  Job,
  Locks,
  Partition,
  Preview,
  Template,
  TemplateSummary
} from '../../api/types';
import type { RawValue } from '../../components/SchemaForm';
import { Observable } from '../../observable';
import { loadText } from '../../text';
import {
  emptyDraft,
  NO_LOCKS,
  optionText,
  partitionOf,
  toSubmission,
  withTemplate,
  type IDraft
} from './draft';
import { setInForm } from './edit';
import { EXAMPLES } from './example';
import { FilesModel } from './files';
import { collectFindings, type IFinding } from './findings';
import { LimitsModel } from './limitsmodel';
import { beyondLimits } from './limits';
import { ScriptModel } from './scriptmodel';
import {
  loadStored,
  recent,
  restoreDraft,
  strings,
  type IDraftStore
} from './store';
import { isRefusal, submitOnce } from './submission';

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
    this.limits = new LimitsModel({ client });
    this._trans = options.trans ?? loadText();
    this.editor = new ScriptModel({
      ask: (body, signal) => client.previewJob(body, signal),
      body: () =>
        this.isEmpty
          ? null
          : toSubmission(this.draft, this.template, this.locks),
      draft: () => this.draft,
      change: draft => this._change(draft),
      onRead: draft => {
        this.draft = draft;
        this._lookUpLimits();
        this._save();
      }
    });
    for (const part of [
      this.templates,
      this.images,
      this.limits,
      this.editor
    ]) {
      part.changed.connect(() => this.notify());
    }
    this.cluster.changed.connect(() => {
      this._lookUpLimits();
      this.limits.retry();
      this.notify();
    });
  }

  readonly templates: ISource<TemplateSummary>;
  readonly images: ISource<Image>;
  readonly cluster: NewJobModel.ICluster;
  readonly files: FilesModel;
  readonly limits: LimitsModel;
  /** The script, and how it is edited by hand. */
  readonly editor: ScriptModel;

  draft: IDraft;
  /** The draft's own, once it is loaded. */
  template: Template | null = null;
  templateError: unknown = null;
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

  /** What template and site have decided about the fields. */
  get locks(): Locks {
    return this.template?.locks ?? this.preview?.locks ?? NO_LOCKS;
  }

  get preview(): Preview | null {
    return this.editor.preview;
  }

  get previewError(): unknown {
    return this.editor.error;
  }

  /** The script in sight. */
  get script(): string {
    return this.editor.text;
  }

  get isEmpty(): boolean {
    return this.draft.templateId === null && this.draft.imageId === null;
  }

  /** The template is not loaded: without its fields, what was typed in them would not be sent. */
  get lacksTemplate(): boolean {
    return this.draft.templateId !== (this.template?.id ?? null);
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
    return collectFindings({
      problems: [this.submitError, this.previewError],
      checks: this.preview?.checks ?? null,
      beyond: this._beyond(),
      questions: (this.draft.edit?.conflicts ?? []).map(({ line }) =>
        this._trans.__(
          'Line %1 of the script: yours and the form’s differ. Choose one.',
          line
        )
      ),
      current: !this.editor.pending
    });
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
      !this.lacksTemplate &&
      !this.submitting &&
      this.files.pending === 0 &&
      this.preview !== null &&
      this.errors.length === 0
    );
  }

  /** The draft of before the reload. */
  async restore(): Promise<void> {
    const stored = await loadStored(this._store);
    // Whoever began to fill in the form meanwhile wins.
    if (this._touched) {
      return;
    }
    this.draft = restoreDraft(stored.draft, this.draft.key);
    this.recentTemplates = strings(stored.recentTemplates);
    this.recentImages = strings(stored.recentImages);
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
    this._change(setInForm(this.draft, { options: { [name]: value } }));
  }

  setParameter(name: string, value: RawValue): void {
    this._change({
      ...this.draft,
      parameters: { ...this.draft.parameters, [name]: value }
    });
  }

  setJobName(jobName: string): void {
    this._change(setInForm(this.draft, { jobName }));
  }

  /** An empty form; `undo` brings the old one back. */
  startAfresh(): void {
    const old = this.draft;
    this.files.clear();
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
    const example = EXAMPLES.find(({ template }) =>
      this.templates.items.some(item => item.id === template && !item.problem)
    );
    if (!example) {
      return;
    }
    await this.selectTemplate(example.template);
    const slot = this.template?.files.slots.find(item => item.required);
    if (
      slot &&
      this.files.validation?.slots.some(
        state => state.name === slot.name && state.state === 'ok'
      )
    ) {
      return;
    }
    const { text, name } = example;
    await this.files.add([new File([text], name)], slot?.name);
  }

  /** Ask for the focus of the field that a finding is about. */
  askFocus(pointer: string): void {
    this._focusAsked.emit(pointer);
  }

  /** Submit what is in sight: with changes that have no script yet, that script first. */
  async submit(): Promise<Job | null> {
    if (this.submitting) {
      return null;
    }
    await this.editor.settled();
    if (!this.canSubmit) {
      return null;
    }
    this.submitting = true;
    this.submitError = null;
    this.submitted = null;
    this.notify();
    try {
      const job = await submitOnce({
        client: this._client,
        body: toSubmission(this.draft, this.template, this.locks),
        key: this.draft.key,
        sleep: this._sleep
      });
      this.submitted = job;
      this._refused = false;
      this._change({ ...this.draft, key: this._newKey() }, false);
      this._jobSubmitted.emit(job);
      void this.files.refresh();
      return job;
    } catch (error) {
      this.submitError = error;
      this._refused = isRefusal(error);
      return null;
    } finally {
      this.submitting = false;
      this.notify();
    }
  }

  /** What other tabs and the file system did. */
  onEvent(event: ISlurmEvent): void {
    this.files.onEvent(event);
    // That a template was checked changes nothing of it.
    if (event.channel === 'templates' && event.type !== 'template_health') {
      void this._loadTemplate();
    }
  }

  /** Look again at everything that the server may have changed. */
  refresh(): void {
    void this._loadTemplate();
    void this.files.refresh().then(() => {
      // Now the server has said whether the draft's session is there.
      this._filesKnown ||= !this.files.error;
      this._onFiles();
    });
    this.limits.refresh();
    this._schedule();
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
      // One that was loaded before stays, and with it what is typed in its fields.
      this.templateError = error;
    }
    this._schedule();
  }

  private _change(draft: IDraft, touched = true): void {
    this._touched = true;
    if (draft.templateId !== this.draft.templateId) {
      this.template = null;
      this.templateError = null;
    }
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
      // What only moves is drawn by those who show the files.
      this.notify();
    }
  }

  private _save(): void {
    const { draft, recentTemplates, recentImages } = this;
    this._store.save({ draft, recentTemplates, recentImages });
  }

  private _schedule(): void {
    this._lookUpLimits();
    this.editor.schedule();
  }

  private _lookUpLimits(): void {
    if (this.draft.templateId && !this.template && !this.templateError) {
      return; // Which partition is meant is not known yet.
    }
    const of = (name: string) => optionText(this.draft, this.template, name);
    // Of a partition that is not in the list nothing is known, and none is meant where there is no default.
    const partition = this.isEmpty ? '' : (this.partition?.name ?? '');
    this.limits.choose(partition, of('account').trim(), of('qos').trim());
  }

  /** JSON Pointer → what the limits that are known here say of that field. */
  private _beyond(): Map<string, string> {
    const { limits } = this.limits;
    return limits
      ? beyondLimits(this._trans, limits, name =>
          optionText(this.draft, this.template, name)
        )
      : new Map();
  }

  private readonly _client: NewJobModel.IClient;
  private readonly _store: IDraftStore;
  private readonly _newKey: () => string;
  private readonly _sleep: (ms: number) => Promise<unknown>;
  private readonly _jobSubmitted = new Signal<this, Job>(this);
  private readonly _focusAsked = new Signal<this, string>(this);
  private readonly _trans: TranslationBundle;
  private _filesSeen = '';
  private _filesKnown = false;
  private _refused = false;
  private _touched = false;
}

export namespace NewJobModel {
  export type IClient = FilesModel.IClient &
    LimitsModel.IClient &
    Pick<SlurmClient, 'getTemplate' | 'previewJob' | 'submitJob'>;
  export interface ICluster extends Observable {
    readonly partitions: ReadonlyArray<Partition>;
  }
  export interface IOptions {
    client: IClient;
    uploader: FilesModel.IOptions['uploader'];
    templates: ISource<TemplateSummary>;
    images: ISource<Image>;
    cluster: ICluster;
    store: IDraftStore;
    /** A new random identifier. */
    newKey: () => string;
    sleep?: (ms: number) => Promise<unknown>;
    /** The user's language. */
    trans?: TranslationBundle;
  }
}
