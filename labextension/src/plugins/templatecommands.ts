import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';

import type { TemplateSummary } from '../api/types';
import { Problem } from '../problem';
import { describe } from '../text';
import { pickText, saveBlob } from './download';
import { CommandIDs } from './ids';
import type { SlurmPanel } from './panel';
import type { SlurmServices } from './services';
import type { TemplateTabs } from './templatetabs';

interface IOptions {
  app: JupyterFrontEnd;
  services: SlurmServices;
  panel: SlurmPanel;
  tabs: TemplateTabs;
  trans: TranslationBundle;
}

type Args = ReadonlyPartialJSONObject;

/** What a template that has nothing yet looks like. */
const EMPTY = `template:
  id: my-template-v1
  name: my_template
  display_name: My template
  category: custom
  version: "1.0.0"

slurm:
  nodes: 1
  ntasks: 1
  time: "01:00:00"

script:
  main_exec: |
    echo "Hello from $(hostname)"
`;

/** Everything that is done with a template, for rows, menus, the palette and other extensions. */
export function addTemplateCommands(options: IOptions): void {
  addOpening(options);
  addActions(options);
  addMenu(options);
}

const text = { type: 'string' };

function argsOf(properties: Record<string, JSONObject>) {
  return { args: { type: 'object' as const, properties } };
}

/** The template that a command is about. */
function idOf({ tabs }: IOptions, args: Args): string | null {
  return args.template_id
    ? String(args.template_id)
    : (tabs.current?.id ?? null);
}

function addOpening(options: IOptions): void {
  const { app, services, panel, tabs, trans } = options;
  const { commands } = app;

  commands.addCommand(CommandIDs.newTemplate, {
    label: trans.__('New Slurm template'),
    describedBy: argsOf({}),
    execute: () => tabs.open({ text: EMPTY })
  });

  commands.addCommand(CommandIDs.editTemplate, {
    label: trans.__('Edit'),
    describedBy: argsOf({ template_id: text, key: text }),
    execute: args =>
      tabs.open({
        id: args.template_id ? String(args.template_id) : null,
        key: args.key ? String(args.key) : undefined
      })
  });

  commands.addCommand(CommandIDs.templateVersions, {
    label: args =>
      args.template_id
        ? trans.__('Versions')
        : trans.__('Versions of the Slurm template'),
    describedBy: argsOf({ template_id: text }),
    isEnabled: args => idOf(options, args) !== null,
    execute: args => tabs.open({ id: idOf(options, args), view: 'versions' })
  });

  commands.addCommand(CommandIDs.importTemplate, {
    label: trans.__('Import a Slurm template'),
    describedBy: argsOf({ text }),
    execute: async args => {
      const given =
        args.text === undefined ? await pickText() : String(args.text);
      if (given === null) {
        return;
      }
      if (given.startsWith('#!')) {
        await commands.execute(CommandIDs.templateFromScript, { text: given });
        return;
      }
      panel.reveal(panel.templates);
      try {
        const made = await services.templateActions.take(given);
        await tabs.open({ id: made.id });
      } catch (error) {
        if (error instanceof Problem && error.code === 'template-broken') {
          // It can be mended here; nothing of it is lost.
          await tabs.open({ text: given, view: 'yaml' });
        } else {
          Notification.error(describe(trans, error));
        }
      }
    }
  });

  commands.addCommand(CommandIDs.saveTemplate, {
    label: trans.__('Save the Slurm template'),
    describedBy: argsOf({}),
    isEnabled: () => tabs.current !== null,
    execute: () => tabs.current?.save()
  });
}

function addActions(options: IOptions): void {
  const { app, services, panel, tabs, trans } = options;
  const actions = services.templateActions;
  const add = (
    command: string,
    short: string,
    long: string,
    execute: (id: string, args: Args) => unknown
  ) => {
    app.commands.addCommand(command, {
      label: args => (args.template_id ? short : long),
      describedBy: argsOf({ template_id: text, name: text }),
      isEnabled: args => idOf(options, args) !== null,
      execute: args => {
        const id = idOf(options, args);
        return id === null ? undefined : execute(id, args);
      }
    });
  };

  add(
    CommandIDs.useTemplate,
    trans.__('Use'),
    trans.__('Use the Slurm template in the new job'),
    id => app.commands.execute(CommandIDs.newJob, { template_id: id })
  );
  add(
    CommandIDs.cloneTemplate,
    trans.__('Clone…'),
    trans.__('Clone the Slurm template'),
    async (id, { name }) => {
      if (name) {
        const made = await actions.clone(id, String(name));
        await (made && tabs.open({ id: made.id }));
        return;
      }
      services.templates.narrow({ query: '', tag: '', source: '' });
      app.shell.activateById(panel.id);
      panel.reveal(panel.templates);
      actions.startClone(id);
    }
  );
  add(
    CommandIDs.shareTemplate,
    trans.__('Share'),
    trans.__('Share the Slurm template'),
    id => actions.share(id)
  );
  add(
    CommandIDs.unshareTemplate,
    trans.__('Take back'),
    trans.__('Take the Slurm template back from the others'),
    id => actions.unshare(id)
  );
  add(
    CommandIDs.checkTemplate,
    trans.__('Check now'),
    trans.__('Check the Slurm template without submitting'),
    id => actions.check(id)
  );
  app.commands.addCommand(CommandIDs.checkOfficialTemplates, {
    label: trans.__('Check the official Slurm templates'),
    describedBy: argsOf({}),
    execute: () => actions.checkOfficial()
  });
  add(
    CommandIDs.exportTemplate,
    trans.__('Export'),
    trans.__('Export the Slurm template'),
    async id => {
      const yaml = await actions.exportText(id);
      if (yaml !== null) {
        saveBlob(new Blob([yaml], { type: 'application/yaml' }), `${id}.yaml`);
      }
    }
  );
  add(
    CommandIDs.deleteTemplate,
    trans.__('Delete'),
    trans.__('Delete the Slurm template'),
    id => actions.remove(id)
  );
  add(
    CommandIDs.restoreTemplate,
    trans.__('Restore'),
    trans.__('Restore the Slurm template'),
    id => actions.restore(id)
  );
}

function addMenu({ app, services }: IOptions): void {
  let menu: Menu | null = null;
  app.commands.addCommand(CommandIDs.templateMenu, {
    describedBy: argsOf({
      template_id: text,
      x: { type: 'number' },
      y: { type: 'number' }
    }),
    execute: ({ template_id, x, y }) => {
      const template = services.templates.find(String(template_id));
      if (!template) {
        return;
      }
      menu?.dispose();
      menu = new Menu({ commands: app.commands });
      for (const command of offered(template)) {
        menu.addItem(
          command
            ? { command, args: { template_id: template.id } }
            : { type: 'separator' }
        );
      }
      menu.open(Number(x), Number(y));
      menu.activeIndex = 0;
    }
  });
}

/** What can be done with a template as it is; null is a line between. */
export function offered(template: TemplateSummary): Array<string | null> {
  const { source, problem, can_edit: mine } = template;
  if (source === 'archived') {
    return [
      CommandIDs.restoreTemplate,
      CommandIDs.editTemplate,
      CommandIDs.exportTemplate
    ];
  }
  return [
    ...(problem ? [] : [CommandIDs.useTemplate]),
    CommandIDs.editTemplate,
    ...(problem ? [] : [CommandIDs.cloneTemplate]),
    ...(mine && source === 'private' && !problem
      ? [CommandIDs.shareTemplate]
      : []),
    ...(mine && source === 'community' ? [CommandIDs.unshareTemplate] : []),
    null,
    CommandIDs.checkTemplate,
    CommandIDs.exportTemplate,
    CommandIDs.templateVersions,
    ...(mine ? [null, CommandIDs.deleteTemplate] : [])
  ];
}
