import { commands } from './plugins/commands';
import { fileChooser } from './plugins/filechooser';
import { widgets } from './plugins/imagewidget';
import { panel } from './plugins/panel';
import { services } from './plugins/services';
import { settings } from './plugins/settings';
import { templates } from './plugins/templates';

export { ISlurmDash } from './tokens';

export default [
  services,
  panel,
  commands,
  fileChooser,
  templates,
  settings,
  widgets
];
