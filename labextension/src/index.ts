import { commands } from './plugins/commands';
import { widgets } from './plugins/imagewidget';
import { panel } from './plugins/panel';
import { services } from './plugins/services';
import { settings } from './plugins/settings';

export { ISlurmDash } from './tokens';

export default [services, panel, commands, settings, widgets];
