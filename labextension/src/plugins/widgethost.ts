import type * as Base from '@jupyter-widgets/base';
import { Widget } from '@lumino/widgets';

/** The module that a kernel's widget names, and the version of what the two say to each other. */
export const MODULE = 'jupyter-slurmdash';
export const VERSION = '1.0.0';

/** The classes that JupyterLab brings. */
export type BaseClasses = Pick<typeof Base, 'DOMWidgetModel' | 'DOMWidgetView'>;

/** What `name`'s model tells the kernel where it and its view are. */
export function namesOf(name: string): Record<string, string> {
  return {
    _model_name: `${name}Model`,
    _model_module: MODULE,
    _model_module_version: VERSION,
    _view_name: `${name}View`,
    _view_module: MODULE,
    _view_module_version: VERSION
  };
}

/** Show a section of the panel in the element of a notebook's view; the view disposes of it before it is removed. */
export function showSection<T extends Widget>(
  view: Base.DOMWidgetView,
  section: T
): T {
  // Keys in the field are the field's: none of them runs a notebook's shortcut.
  view.el.dataset.lmSuppressShortcuts = 'true';
  view.el.classList.add('jp-slurmdash-WidgetHost');
  void view.displayed.then(() => {
    if (!section.isDisposed) {
      Widget.attach(section, view.el);
    }
  });
  return section;
}
