import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { PANEL_ID } from './panel';
import { ISlurmServices, type SlurmServices } from './services';

/** The user's settings of the panel. */
export const settings: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-slurmdash:settings',
  description: 'Applies the settings of the Slurm panel.',
  autoStart: true,
  requires: [ISlurmServices, ISettingRegistry],
  activate: async (
    _: JupyterFrontEnd,
    services: SlurmServices,
    registry: ISettingRegistry
  ): Promise<void> => {
    const loaded = await registry.load(PANEL_ID);
    const apply = () => {
      services.notifyJobEnd = loaded.get('notifyJobEnd').composite !== false;
    };
    loaded.changed.connect(apply);
    apply();
  }
};
