import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';

import { slurmIcon } from '../icons';
import { JobModel } from '../sections/jobs/jobmodel';
import { JobWidget } from '../sections/jobs/jobwidget';
import { NewJobWidget } from '../sections/newjob/section';
import { describe, loadText } from '../text';
import { ISlurmDash } from '../tokens';
import { saveBlob } from './download';
import { CommandIDs } from './ids';
import { SlurmPanel } from './panel';
import { ISlurmServices, type SlurmServices } from './services';

const TAB_ID = 'slurmdash-new-job';

/** Every action as a command: palette, launcher, context menu, shortcuts, other extensions. */
export const commands: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-slurmdash:commands',
  description: 'The commands of the Slurm panel, its tabs and its menus.',
  autoStart: true,
  requires: [ISlurmServices, ISlurmDash],
  optional: [
    ITranslator,
    ICommandPalette,
    ILauncher,
    ILayoutRestorer,
    IFileBrowserFactory
  ],
  activate: (
    app: JupyterFrontEnd,
    services: SlurmServices,
    panel: ISlurmDash,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    browsers: IFileBrowserFactory | null
  ): void => {
    if (!(panel instanceof SlurmPanel)) {
      return;
    }
    const tabs = new Tabs({
      app,
      services,
      panel,
      translator: translator ?? nullTranslator
    });
    addCommands(app, services, panel, tabs, translator, browsers);
    const trans = loadText(translator);
    const category = trans.__('Slurm');
    for (const command of [
      CommandIDs.newJob,
      CommandIDs.refresh,
      CommandIDs.scanImages,
      CommandIDs.tryExample
    ]) {
      palette?.addItem({ command, category });
    }
    palette?.addItem({
      command: CommandIDs.newJob,
      category,
      args: { mode: 'tab' }
    });
    launcher?.add({
      command: CommandIDs.newJob,
      category: trans.__('Other'),
      args: { mode: 'tab', launcher: true }
    });
    app.contextMenu.addItem({
      command: CommandIDs.useFiles,
      selector: '.jp-DirListing-item[data-isdir="false"]',
      rank: 60
    });
    if (restorer) {
      tabs.restore(restorer);
    }
  }
};

/** The tabs of the main area: the form, and one per job that is looked at. */
class Tabs {
  constructor(private readonly _options: Tabs.IOptions) {}

  openJob(id: string): void {
    const { app, services, translator } = this._options;
    let tab = this._jobs.find(({ content }) => content.model.id === id);
    if (!tab) {
      const model = new JobModel({ id, client: services.client });
      const row = services.jobs.find(id);
      if (row) {
        model.put(row.job);
      }
      const follow = () => {
        const latest = services.jobs.find(id);
        if (latest && latest.job !== model.row?.job) {
          model.put(latest.job);
        }
      };
      services.jobs.changed.connect(follow);
      const content = new JobWidget({
        model,
        translator,
        onDownload: async path => saveBlob(await model.readFile(path), path),
        onTemplate: () =>
          void app.commands.execute(CommandIDs.templateFromJob, { job_id: id })
      });
      content.disposed.connect(() => {
        services.jobs.changed.disconnect(follow);
      });
      tab = new MainAreaWidget({ content });
      tab.toolbar.hide();
      tab.id = `slurmdash-job-tab-${id}`;
      void this._jobs.add(tab);
    }
    if (!tab.isAttached) {
      app.shell.add(tab, 'main', { type: 'Slurm job' });
    }
    app.shell.activateById(tab.id);
  }

  openForm(): void {
    const { app, services, panel, translator } = this._options;
    if (!this._form || this._form.isDisposed) {
      const content = new NewJobWidget({
        translator,
        model: services.newJob,
        factory: panel.factory,
        onOpenJob: id =>
          void app.commands.execute(CommandIDs.openJob, { job_id: id })
      });
      content.id = `${TAB_ID}-form`;
      this._form = new MainAreaWidget({ content });
      this._form.toolbar.hide();
      this._form.id = TAB_ID;
      const form = this._form;
      form.disposed.connect(() => {
        panel.setFormAway(false);
      });
      services.wake(() => !document.hidden);
      panel.setFormAway(true);
      void this._forms.add(form);
    }
    if (!this._form.isAttached) {
      app.shell.add(this._form, 'main', { type: 'Slurm job' });
    }
    app.shell.activateById(TAB_ID);
  }

  get formOpen(): boolean {
    return this._form !== null && !this._form.isDisposed;
  }

  closeForm(): void {
    this._form?.dispose();
    this._form = null;
  }

  /** Is this job's tab in sight? */
  shows(id: string): boolean {
    return Boolean(
      this._jobs.find(
        tab => tab.content.model.id === id && tab.isVisible && !document.hidden
      )
    );
  }

  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this._jobs, {
      command: CommandIDs.openJob,
      args: ({ content }) => ({ job_id: content.model.id }),
      name: ({ content }) => content.model.id
    });
    void restorer.restore(this._forms, {
      command: CommandIDs.newJob,
      args: () => ({ mode: 'tab' }),
      name: () => TAB_ID
    });
  }

  private readonly _jobs = new WidgetTracker<MainAreaWidget<JobWidget>>({
    namespace: 'slurmdash-jobs'
  });
  private readonly _forms = new WidgetTracker<MainAreaWidget<NewJobWidget>>({
    namespace: 'slurmdash-forms'
  });
  private _form: MainAreaWidget<NewJobWidget> | null = null;
}

namespace Tabs {
  export interface IOptions {
    app: JupyterFrontEnd;
    services: SlurmServices;
    panel: SlurmPanel;
    translator: ITranslator;
  }
}

function addCommands(
  app: JupyterFrontEnd,
  services: SlurmServices,
  panel: SlurmPanel,
  tabs: Tabs,
  translator: ITranslator | null,
  browsers: IFileBrowserFactory | null
): void {
  const trans = loadText(translator);
  const { newJob } = services;
  const argsOf = (properties: Record<string, JSONObject>) => ({
    args: { type: 'object' as const, properties }
  });
  const text = { type: 'string' };

  const showForm = (mode?: string) => {
    if (mode === 'tab' || (mode !== 'panel' && tabs.formOpen)) {
      tabs.openForm();
      return;
    }
    tabs.closeForm();
    app.shell.activateById(panel.id);
    panel.reveal(panel.newJob);
  };

  app.commands.addCommand(CommandIDs.newJob, {
    label: args =>
      args.launcher
        ? trans.__('Slurm: New job')
        : args.mode === 'tab'
          ? trans.__('New Slurm job in a tab')
          : trans.__('New Slurm job'),
    caption: trans.__('Fill in a job and submit it to Slurm'),
    icon: slurmIcon,
    describedBy: argsOf({ mode: text, template_id: text, image_id: text }),
    execute: async args => {
      showForm(args.mode as string | undefined);
      if (args.template_id) {
        await newJob.selectTemplate(String(args.template_id));
      } else if (args.image_id) {
        newJob.selectImage(String(args.image_id));
      }
      newJob.askFocus(
        args.image_id
          ? '/image_id'
          : args.template_id && newJob.template?.files.slots.length
            ? '/files'
            : '/template_id'
      );
    }
  });

  app.commands.addCommand(CommandIDs.openJob, {
    label: trans.__('Open Slurm job'),
    describedBy: argsOf({ job_id: text }),
    execute: args => {
      if (args.job_id) {
        tabs.openJob(String(args.job_id));
      }
    }
  });

  app.commands.addCommand(CommandIDs.cancelJob, {
    label: trans.__('Cancel Slurm job'),
    describedBy: argsOf({ job_id: text }),
    execute: async args => {
      try {
        await services.jobs.cancel(String(args.job_id));
      } catch (error) {
        Notification.error(describe(trans, error));
      }
    }
  });

  app.commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh the Slurm panel'),
    describedBy: argsOf({}),
    execute: () => services.refresh()
  });

  app.commands.addCommand(CommandIDs.scanImages, {
    label: trans.__('Scan the nodes for images'),
    describedBy: argsOf({}),
    execute: () => services.images.startScan()
  });

  app.commands.addCommand(CommandIDs.tryExample, {
    label: trans.__('Fill in the example job'),
    describedBy: argsOf({}),
    execute: async () => {
      showForm();
      await newJob.tryExample();
    }
  });

  app.commands.addCommand(CommandIDs.useFiles, {
    label: trans.__('Use in Slurm Job'),
    icon: slurmIcon,
    describedBy: argsOf({}),
    execute: async () => {
      const items = browsers?.tracker.currentWidget?.selectedItems() ?? [];
      showForm();
      for (const item of items) {
        await newJob.files.addPath(item.path);
      }
    }
  });

  const shows = (id: string) =>
    tabs.shows(id) || (panel.jobs.isVisible && !document.hidden);
  services.jobs.ended.connect((_, job) => {
    if (shows(job.job_id) || !services.notifyJobEnd) {
      return;
    }
    const done = job.state === 'COMPLETED';
    const actions = [
      {
        label: trans.__('Open'),
        callback: () =>
          void app.commands.execute(CommandIDs.openJob, { job_id: job.job_id })
      }
    ];
    if (done) {
      Notification.success(
        trans.__('Job %1 (%2) is done.', job.name, job.job_id),
        { actions }
      );
    } else {
      Notification.warning(
        trans.__(
          'Job %1 (%2) ended: %3',
          job.name,
          job.job_id,
          job.state.toLowerCase().replaceAll('_', ' ')
        ),
        { actions }
      );
    }
  });
}
