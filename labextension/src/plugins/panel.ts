import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IEditorServices, type CodeEditor } from '@jupyterlab/codeeditor';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import {
  addIcon,
  launchIcon,
  refreshIcon,
  SidePanel,
  Toolbar,
  ToolbarButton
} from '@jupyterlab/ui-components';
import { MessageLoop, type Message } from '@lumino/messaging';
import { Widget, type AccordionPanel } from '@lumino/widgets';

import { slurmIcon } from '../icons';
import { ClusterHeader } from '../sections/cluster/section';
import { ImagesSection } from '../sections/images/section';
import { JobsSection } from '../sections/jobs/section';
import { NewJobSection } from '../sections/newjob/section';
import { TemplatesSection } from '../sections/templates/section';
import { loadText } from '../text';
import { ISlurmDash } from '../tokens';
import { CommandIDs } from './ids';
import { ISlurmServices, type SlurmServices } from './services';

export const PANEL_ID = 'jupyter-slurmdash:panel';

/** Where the panel stands among the tabs of the left side; Lab's own are 100 to 1000. */
const RANK = 600;

/** How the unfolded sections share the height: the form needs most; sections of others come last. */
const WEIGHTS = [5, 2, 3, 3];
const OTHER_WEIGHT = 2;

/** The Slurm side panel: one fold-out section per thing it is about. */
export class SlurmPanel extends SidePanel implements ISlurmDash {
  constructor(options: SlurmPanel.IOptions) {
    super({ translator: options.translator });
    const { services, translator, execute } = options;
    const trans = loadText(translator);
    this._services = services;
    this.id = 'jp-slurmdash-panel';
    this.title.icon = slurmIcon;
    this.title.caption = trans.__('Slurm');
    this.addClass('jp-slurmdash-Panel');
    // A landmark needs a name; the tab's caption is not one.
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Slurm'));

    this.header.addWidget(
      new ClusterHeader({ translator, model: services.cluster })
    );
    this.toolbar.addItem(
      'new-job',
      new ToolbarButton({
        icon: addIcon,
        label: trans.__('New job'),
        tooltip: trans.__('New job'),
        dataset: { 'data-testid': 'slurmdash-new-job-button' },
        onClick: () => execute(CommandIDs.newJob)
      })
    );
    this.toolbar.addItem('spacer', Toolbar.createSpacerItem());
    this.toolbar.addItem(
      'wide',
      new ToolbarButton({
        icon: launchIcon,
        tooltip: trans.__('Open the form as a tab'),
        dataset: { 'data-testid': 'slurmdash-new-job-tab-button' },
        onClick: () => execute(CommandIDs.newJob, { mode: 'tab' })
      })
    );
    this.toolbar.addItem(
      'refresh',
      new ToolbarButton({
        icon: refreshIcon,
        tooltip: trans.__('Refresh'),
        dataset: { 'data-testid': 'slurmdash-refresh-button' },
        onClick: () => execute(CommandIDs.refresh)
      })
    );

    const open = (id: string) => execute(CommandIDs.openJob, { job_id: id });
    this.factory = options.factory;
    this.newJob = new NewJobSection({
      translator,
      model: services.newJob,
      factory: options.factory,
      onOpenJob: open,
      onGoTo: () => execute(CommandIDs.newJob, { mode: 'tab' }),
      onBring: () => execute(CommandIDs.newJob, { mode: 'panel' })
    });
    this.jobs = new JobsSection({
      translator,
      model: services.jobs,
      onOpen: open,
      onExample: () => execute(CommandIDs.tryExample)
    });
    this.addWidget(this.newJob);
    this.addWidget(this.jobs);
    this.templates = new TemplatesSection({
      translator,
      model: services.templates,
      actions: services.templateActions,
      onUse: id => execute(CommandIDs.newJob, { template_id: id }),
      onEdit: id => execute(CommandIDs.editTemplate, { template_id: id }),
      onNew: () => execute(CommandIDs.newTemplate),
      onImport: text =>
        execute(CommandIDs.importTemplate, text === undefined ? {} : { text }),
      onScript: (text, name) =>
        execute(
          CommandIDs.templateFromScript,
          text === undefined ? {} : { text, name: name ?? '' }
        ),
      onMenu: (id, x, y) =>
        execute(CommandIDs.templateMenu, { template_id: id, x, y })
    });
    this.addWidget(this.templates);
    this.addWidget(
      new ImagesSection({
        translator,
        model: services.images,
        recent: () => services.newJob.recentImages,
        onUse: id => execute(CommandIDs.newJob, { image_id: id }),
        onDraft: id => execute(CommandIDs.draftTemplate, { image_id: id })
      })
    );
    const accordion = this.content as AccordionPanel;
    accordion.collapse(2);
    accordion.collapse(3);
    this._share();
    accordion.expansionToggled.connect(this._share, this);
    // The line above wraps when its text comes, which moves the sections.
    this._resizing = new ResizeObserver(() => {
      MessageLoop.sendMessage(this.content, Widget.ResizeMessage.UnknownSize);
    });
    this._resizing.observe(this.header.node);
  }

  /** Makes JupyterLab's editors. */
  readonly factory: CodeEditor.Factory;
  readonly newJob: NewJobSection;
  readonly jobs: JobsSection;
  readonly templates: TemplatesSection;

  addSection(section: Widget): void {
    this.addWidget(section);
  }

  override dispose(): void {
    this._resizing.disconnect();
    super.dispose();
  }

  /** The form is open as a tab; its section gives its room to the others. */
  setFormAway(away: boolean): void {
    const accordion = this.content as AccordionPanel;
    this.newJob.isAway = away;
    if (away) {
      accordion.collapse(0);
    } else {
      accordion.expand(0);
    }
  }

  /** Unfold a section. */
  reveal(section: Widget): void {
    (this.content as AccordionPanel).expand(this.widgets.indexOf(section));
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._services.wake(() => this.isVisible && !document.hidden);
    void this._services.cluster.refresh();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._services.wake(() => this.isVisible && !document.hidden);
    }
  }

  /** Lumino gives a section that unfolds the height it had last, which may be none. */
  private _share(): void {
    (this.content as AccordionPanel).setRelativeSizes(
      this.widgets.map((section, index) =>
        section.isHidden ? 0 : (WEIGHTS[index] ?? OTHER_WEIGHT)
      )
    );
  }

  private readonly _services: SlurmServices;
  private readonly _resizing: ResizeObserver;
}

export namespace SlurmPanel {
  export interface IOptions {
    translator: ITranslator;
    services: SlurmServices;
    factory: CodeEditor.Factory;
    /** Run one of our commands. */
    execute: (id: string, args?: Record<string, string | number>) => void;
  }
}

export const panel: JupyterFrontEndPlugin<ISlurmDash> = {
  id: PANEL_ID,
  description: 'The Slurm side panel.',
  autoStart: true,
  requires: [ISlurmServices, IEditorServices],
  provides: ISlurmDash,
  optional: [ITranslator, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    services: SlurmServices,
    editors: IEditorServices,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ): ISlurmDash => {
    const widget = new SlurmPanel({
      translator: translator ?? nullTranslator,
      services,
      factory: options => editors.factoryService.newDocumentEditor(options),
      execute: (id, args) => void app.commands.execute(id, args)
    });
    app.shell.add(widget, 'left', { rank: RANK, type: 'Slurm' });
    restorer?.add(widget, widget.id);
    return widget;
  }
};
