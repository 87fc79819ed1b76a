import type * as Base from '@jupyter-widgets/base';
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import { Widget } from '@lumino/widgets';

import { SlurmClient } from '../api/client';
import type { ISlurmEvent } from '../api/events';
import { Uploader } from '../api/uploader';
import { ImagePickerSection, PickerModel } from '../sections/images/picker';
import { fileDropClasses, type IDropOptions } from './filedrop';
import { ISlurmServices, type SlurmServices } from './services';

/** The module that a kernel's widget names, and the version of what the two say to each other. */
const MODULE = 'jupyter-slurmdash';
const VERSION = '1.0.0';

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
  base: Pick<typeof Base, 'DOMWidgetModel' | 'DOMWidgetView'>,
  translator: ITranslator
): Base.ExportMap {
  class ImagePickerModel extends base.DOMWidgetModel {
    override defaults() {
      return {
        ...super.defaults(),
        _model_name: 'ImagePickerModel',
        _model_module: MODULE,
        _model_module_version: VERSION,
        _view_name: 'ImagePickerView',
        _view_module: MODULE,
        _view_module_version: VERSION,
        ...new PickerModel().state
      };
    }
  }

  class ImagePickerView extends base.DOMWidgetView {
    override render(): void {
      super.render();
      // Keys in the field are the field's: none of them runs a notebook's shortcut.
      this.el.dataset.lmSuppressShortcuts = 'true';
      this.el.classList.add('jp-slurmdash-WidgetHost');
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
      const section = new ImagePickerSection({
        translator,
        model: state,
        onChange: value => {
          this.model.set('value', value);
          this.touch();
        }
      });
      this._section = section;
      void this.displayed.then(() => {
        if (!section.isDisposed) {
          Widget.attach(section, this.el);
        }
      });
    }

    override remove() {
      this._section?.dispose();
      return super.remove();
    }

    private _section: ImagePickerSection | null = null;
  }

  return { ImagePickerModel, ImagePickerView };
}
