import type * as Base from '@jupyter-widgets/base';
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';

import { SlurmClient } from '../api/client';
import type { ISlurmEvent } from '../api/events';
import { Uploader } from '../api/uploader';
import { ImagePickerSection, PickerModel } from '../sections/images/picker';
import { fileDropClasses, type IDropOptions } from './filedrop';
import { ISlurmServices, type SlurmServices } from './services';
import {
  MODULE,
  namesOf,
  showSection,
  VERSION,
  type BaseClasses
} from './widgethost';

/** The panel's fields for images and files in a notebook's output; see `jupyter_slurmdash/widgets`. */
export const widgets: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-slurmdash:widgets',
  description: 'The views of the widgets of jupyter_slurmdash.',
  autoStart: true,
  optional: [ITranslator, ISlurmServices],
  activate: async (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    services: SlurmServices | null
  ): Promise<void> => {
    let base: typeof Base;
    try {
      base = await import('@jupyter-widgets/base');
    } catch {
      // This JupyterLab has no widgets: the panel works all the same.
      return;
    }
    const registry = await app.resolveOptionalService(
      base.IJupyterWidgetRegistry
    );
    registry?.registerWidget({
      name: MODULE,
      version: VERSION,
      exports: {
        ...widgetClasses(base, translator ?? nullTranslator),
        ...fileDropClasses(base, dropOptions(app, translator, services))
      }
    });
  }
};

/** The panel's connection, or one of its own where there is no panel. */
function dropOptions(
  app: JupyterFrontEnd,
  translator: ITranslator | null,
  services: SlurmServices | null
): IDropOptions {
  const { serverSettings } = app.serviceManager;
  return {
    translator: translator ?? nullTranslator,
    model: {
      client: services?.client ?? new SlurmClient({ serverSettings }),
      uploader: new Uploader({ serverSettings }),
      newKey: () => UUID.uuid4()
    },
    listen: hear => {
      const slot = (_: unknown, event: ISlurmEvent) => hear(event);
      services?.events.event.connect(slot);
      return () => {
        services?.events.event.disconnect(slot);
      };
    }
  };
}

/** Model and view of `ImagePicker`, made of the classes that JupyterLab brings. */
export function widgetClasses(
  base: BaseClasses,
  translator: ITranslator
): Base.ExportMap {
  class ImagePickerModel extends base.DOMWidgetModel {
    override defaults() {
      return {
        ...super.defaults(),
        ...namesOf('ImagePicker'),
        ...new PickerModel().state
      };
    }
  }

  class ImagePickerView extends base.DOMWidgetView {
    override render(): void {
      super.render();
      const state = new PickerModel();
      const take = () => {
        state.set(
          Object.fromEntries(
            Object.keys(state.state).map(name => [name, this.model.get(name)])
          )
        );
      };
      take();
      this.listenTo(this.model, 'change', take);
      this._section = showSection(
        this,
        new ImagePickerSection({
          translator,
          model: state,
          onChange: value => {
            this.model.set('value', value);
            this.touch();
          }
        })
      );
    }

    override remove() {
      this._section?.dispose();
      return super.remove();
    }

    private _section: ImagePickerSection | null = null;
  }

  return { ImagePickerModel, ImagePickerView };
}
