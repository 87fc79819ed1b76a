import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';

import type { TemplateDraft } from '../api/types';
import { slurmIcon } from '../icons';
import type { AskedScript } from '../sections/templates/askedscript';
import { isScript, nameOfFile } from '../sections/templates/scriptform';
import { describe } from '../text';
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
  browsers: IFileBrowserFactory | null;
}

/** Templates from what people have: an image, a script, a job. Each opens as a draft in the editor. */
export function addDraftCommands(options: IOptions): void {
  const { app, services, panel, tabs, trans, browsers } = options;
  const { client, templateActions } = services;
  const { script } = templateActions;
  const text = { type: 'string' };
  const argsOf = (properties: Record<string, JSONObject>) => ({
    args: { type: 'object' as const, properties }
  });
  const open = ({ text, notes }: TemplateDraft) => tabs.open({ text, notes });

  /** Open a draft, or tell why there is none. */
  const openOrTell = async (asked: Promise<TemplateDraft>) => {
    try {
      await open(await asked);
    } catch (error) {
      Notification.error(describe(trans, error));
    }
  };

  const askScript = (content: Partial<AskedScript.IContent> = {}) => {
    app.shell.activateById(panel.id);
    panel.reveal(panel.templates);
    script.ask(content);
  };

  app.commands.addCommand(CommandIDs.draftTemplate, {
    label: trans.__('Make a template of an image'),
    describedBy: argsOf({ image_id: text }),
    execute: args => openOrTell(client.getImageDraft(String(args.image_id)))
  });

  app.commands.addCommand(CommandIDs.templateFromJob, {
    label: trans.__('Make a template of a job'),
    describedBy: argsOf({ job_id: text }),
    execute: args => openOrTell(client.getJobDraft(String(args.job_id)))
  });

  app.commands.addCommand(CommandIDs.templateFromScript, {
    label: trans.__('New Slurm template from a script…'),
    describedBy: argsOf({ text, name: text }),
    execute: async args => {
      if (args.text === undefined) {
        askScript();
        return;
      }
      const given = String(args.text);
      const name = String(args.name ?? '');
      try {
        const draft = await script.draftOf(given, name);
        if (draft) {
          await open(draft);
        }
      } catch (error) {
        if (script.holdsOther(given)) {
          const why = describe(trans, error);
          Notification.error(name ? `${name}: ${why}` : why);
        } else {
          // It can be mended there; nothing of it is lost.
          askScript({ text: given, name, error });
        }
      }
    }
  });

  const selected = () => [
    ...(browsers?.tracker.currentWidget?.selectedItems() ?? [])
  ];
  app.commands.addCommand(CommandIDs.templateFromFile, {
    label: trans.__('Make a Slurm Template'),
    icon: slurmIcon,
    describedBy: argsOf({}),
    isVisible: () => selected().some(({ name }) => isScript(name)),
    execute: async () => {
      for (const { path } of selected().filter(({ name }) => isScript(name))) {
        const file = await app.serviceManager.contents.get(path, {
          type: 'file',
          format: 'text',
          content: true
        });
        await app.commands.execute(CommandIDs.templateFromScript, {
          text: String(file.content),
          name: nameOfFile(path)
        });
      }
    }
  });
}
