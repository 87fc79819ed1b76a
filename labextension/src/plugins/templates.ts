import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { loadText } from '../text';
import { ISlurmDash } from '../tokens';
import { CommandIDs } from './ids';
import { SlurmPanel } from './panel';
import { ISlurmServices, type SlurmServices } from './services';
import { addDraftCommands } from './draftcommands';
import { addTemplateCommands } from './templatecommands';
import { TemplateDrafts } from './templatedrafts';
import { TemplateTabs } from './templatetabs';

/** What the palette offers; most are for the template of the editor in front. */
const OFFERED = [
  CommandIDs.newTemplate,
  CommandIDs.templateFromScript,
  CommandIDs.importTemplate,
  CommandIDs.saveTemplate,
  CommandIDs.useTemplate,
  CommandIDs.cloneTemplate,
  CommandIDs.shareTemplate,
  CommandIDs.unshareTemplate,
  CommandIDs.checkTemplate,
  CommandIDs.checkOfficialTemplates,
  CommandIDs.exportTemplate,
  CommandIDs.templateVersions,
  CommandIDs.deleteTemplate
];

/** The template manager: editors in the main area, and what can be done with a template, as commands. */
export const templates: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-slurmdash:templates',
  description: 'The template manager: its editors and commands.',
  autoStart: true,
  requires: [ISlurmServices, ISlurmDash, IEditorServices],
  optional: [
    ITranslator,
    ICommandPalette,
    ILayoutRestorer,
    IStateDB,
    IFileBrowserFactory
  ],
  activate: (
    app: JupyterFrontEnd,
    services: SlurmServices,
    panel: ISlurmDash,
    editors: IEditorServices,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null,
    browsers: IFileBrowserFactory | null
  ): void => {
    if (!(panel instanceof SlurmPanel)) {
      return;
    }
    const trans = loadText(translator);
    const tabs = new TemplateTabs({
      app,
      services,
      editors,
      translator: translator ?? nullTranslator,
      drafts: new TemplateDrafts({ state })
    });
    addTemplateCommands({ app, services, panel, tabs, trans });
    addDraftCommands({ app, services, panel, tabs, trans, browsers });
    app.contextMenu.addItem({
      command: CommandIDs.templateFromFile,
      selector: '.jp-DirListing-item[data-isdir="false"]',
      rank: 61
    });
    for (const command of OFFERED) {
      palette?.addItem({ command, category: trans.__('Slurm') });
    }
    app.commands.addKeyBinding({
      command: CommandIDs.saveTemplate,
      keys: ['Accel S'],
      selector: '.jp-slurmdash-TemplateEditor'
    });
    services.events.event.connect((_, { channel, type, ids }) => {
      const named = Array.isArray(ids) ? ids.map(String) : null;
      if (channel === 'templates' && type === 'template_health') {
        tabs.onHealth(named);
      } else if (channel === 'templates') {
        tabs.onChanged(named);
      }
    });
    services.events.reload.connect(() => {
      tabs.onChanged(null);
      tabs.onHealth(null);
    });
    services.jobs.ended.connect(() => tabs.onHealth(null));
    if (restorer) {
      tabs.restore(restorer);
    }
  }
};
