import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { FileDialog, IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { loadText } from '../text';
import { ISlurmServices, type SlurmServices } from './services';

/** Files of the cluster, chosen in JupyterLab's own file browser; named by path, never copied. */
export const fileChooser: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-slurmdash:filechooser',
  description: "Chooses a job's files in JupyterLab's file browser.",
  autoStart: true,
  requires: [ISlurmServices, IDefaultFileBrowser],
  optional: [ITranslator],
  activate: (
    _: JupyterFrontEnd,
    services: SlurmServices,
    browser: IDefaultFileBrowser,
    translator: ITranslator | null
  ): void => {
    const { files } = services.newJob;
    files.chooser = async () => {
      const result = await FileDialog.getOpenFiles({
        manager: browser.model.manager,
        title: loadText(translator).__('Files for the job'),
        filter: () => ({}),
        translator: translator ?? nullTranslator
      });
      return result.button.accept
        ? (result.value ?? [])
            .filter(({ type }) => type !== 'directory')
            .map(({ path }) => path)
        : [];
    };
  }
};
