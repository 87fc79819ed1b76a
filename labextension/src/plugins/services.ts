import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, type TranslationBundle } from '@jupyterlab/translation';
import { Token, UUID } from '@lumino/coreutils';
import { Debouncer } from '@lumino/polling';

import { SlurmClient } from '../api/client';
import { EventsClient } from '../api/events';
import { Uploader } from '../api/uploader';
import { ClusterModel } from '../sections/cluster/model';
import { ImagesModel } from '../sections/images/model';
import { JobsModel } from '../sections/jobs/model';
import { NewJobModel } from '../sections/newjob/model';
import type { IDraftStore } from '../sections/newjob/store';
import { TemplateActions } from '../sections/templates/actions';
import { TemplatesModel } from '../sections/templates/model';
import { loadText } from '../text';
import { DraftStore } from './draftstore';

/** Milliseconds between looks at what is free, while someone looks. */
const CLUSTER_INTERVAL = 30_000;
/** Milliseconds without the end of a job before its template's history is asked for. */
const HISTORY_PAUSE = 1_000;

/** The connection to the server and the models that all parts of the panel share. */
export class SlurmServices {
  constructor(options: SlurmServices.IOptions) {
    const { serverSettings, store, trans } = options;
    const client = new SlurmClient({ serverSettings });
    this.client = client;
    this.events = new EventsClient({ serverSettings });
    this.cluster = new ClusterModel({ client });
    this.templates = new TemplatesModel({ client });
    this.templateActions = new TemplateActions({
      client,
      templates: this.templates
    });
    this.images = new ImagesModel({ client });
    this.jobs = new JobsModel({ client });
    this.newJob = new NewJobModel({
      client,
      uploader: new Uploader({ serverSettings }),
      templates: this.templates,
      images: this.images,
      cluster: this.cluster,
      store,
      trans,
      newKey: () => UUID.uuid4()
    });
    this.events.event.connect((_, event) => {
      this.jobs.onEvent(event);
      this.images.onEvent(event);
      this.newJob.onEvent(event);
      if (event.channel === 'templates') {
        const ids = Array.isArray(event.ids) ? event.ids.map(String) : null;
        void this.templates.refresh();
        if (event.type === 'template_health') {
          void this.templateActions.onChecked(ids);
        }
      }
    });
    this.events.reload.connect(() => this.refresh());
    this.jobs.ended.connect(() => {
      void this.cluster.refresh();
      void this._jobsEnded.invoke();
    });
    this.newJob.jobSubmitted.connect((_, job) => {
      this.jobs.put(job);
      void this.cluster.refresh();
    });
  }

  readonly client: SlurmClient;
  readonly events: EventsClient;
  readonly cluster: ClusterModel;
  readonly templates: TemplatesModel;
  readonly templateActions: TemplateActions;
  readonly images: ImagesModel;
  readonly jobs: JobsModel;
  readonly newJob: NewJobModel;
  /** Tell when a job ends that nobody looks at. */
  notifyJobEnd = true;

  /** Begin to listen; the jobs are followed even while the panel is closed, to tell when one ends. */
  start(): void {
    this.events.connect();
    // A line that is back, a lid that was opened, a sign-in in another tab: uploads go on at once.
    for (const type of ['online', 'focus']) {
      window.addEventListener(type, () => this.newJob.files.wake());
    }
    this.jobs.poll(() => !this.events.connected);
    void this.jobs.refresh();
    setInterval(() => {
      if (this._looking()) {
        void this.cluster.refresh();
      }
    }, CLUSTER_INTERVAL);
  }

  /** Someone looks: load what only the panel needs. */
  wake(looking: () => boolean): void {
    this._looking = looking;
    if (!this._awake) {
      this._awake = true;
      void this.newJob.restore();
      this._refreshLists();
    }
  }

  /** Ask for everything anew. */
  refresh(): void {
    void this.jobs.refresh();
    if (this._awake) {
      this._refreshLists();
      this.newJob.refresh();
      this.newJob.files.wake();
    }
  }

  private _refreshLists(): void {
    void this.cluster.refresh();
    void this.templates.refresh();
    void this.templateActions.onChecked(null);
    void this.images.refresh();
  }

  /** The library says what became of the jobs; of many that end at once, once. */
  private readonly _jobsEnded = new Debouncer(
    async () => (this._awake ? this.templates.refresh() : undefined),
    HISTORY_PAUSE
  );
  private _awake = false;
  private _looking: () => boolean = () => false;
}

export namespace SlurmServices {
  export interface IOptions {
    serverSettings: JupyterFrontEnd['serviceManager']['serverSettings'];
    store: IDraftStore;
    trans: TranslationBundle;
  }
}

/** Inside this extension only; others use `ISlurmDash`. */
export const ISlurmServices = new Token<SlurmServices>(
  'jupyter-slurmdash:ISlurmServices'
);

export const services: JupyterFrontEndPlugin<SlurmServices> = {
  id: 'jupyter-slurmdash:services',
  description: 'The connection to the Slurm dashboard of the Jupyter server.',
  autoStart: true,
  provides: ISlurmServices,
  optional: [IStateDB, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    state: IStateDB | null,
    translator: ITranslator | null
  ): SlurmServices => {
    const made = new SlurmServices({
      serverSettings: app.serviceManager.serverSettings,
      store: new DraftStore({ state }),
      trans: loadText(translator)
    });
    void app.restored.then(() => made.start());
    return made;
  }
};
