import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';

import { slurmIcon } from '../icons';
import { ImagesSection } from '../sections/images/section';
import { JobsSection } from '../sections/jobs/section';
import { NewJobSection } from '../sections/newjob/section';
import { loadText } from '../text';
import { ISlurmDash } from '../tokens';

export const PANEL_ID = 'jupyter-slurmdash:panel';

/** Where the panel stands among the tabs of the left side; Lab's own are 100 to 1000. */
const RANK = 600;

/** The Slurm side panel: one fold-out section per thing it is about. */
export class SlurmPanel extends SidePanel implements ISlurmDash {
  constructor(options: SlurmPanel.IOptions) {
    super({ translator: options.translator });
    const trans = loadText(options.translator);
    this.id = 'jp-slurmdash-panel';
    this.title.icon = slurmIcon;
    this.title.caption = trans.__('Slurm');
    this.addClass('jp-slurmdash-Panel');
    // A landmark needs a name; the tab's caption is not one.
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Slurm'));

    this.addWidget(new NewJobSection(options));
    this.addWidget(new JobsSection(options));
    this.addWidget(new ImagesSection(options));
  }

  addSection(section: Parameters<ISlurmDash['addSection']>[0]): void {
    this.addWidget(section);
  }
}

export namespace SlurmPanel {
  export interface IOptions {
    translator: ITranslator;
  }
}

export const panel: JupyterFrontEndPlugin<ISlurmDash> = {
  id: PANEL_ID,
  description: 'The Slurm side panel.',
  autoStart: true,
  provides: ISlurmDash,
  optional: [ITranslator, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ): ISlurmDash => {
    const widget = new SlurmPanel({ translator: translator ?? nullTranslator });
    app.shell.add(widget, 'left', { rank: RANK, type: 'Slurm' });
    restorer?.add(widget, widget.id);
    return widget;
  }
};
