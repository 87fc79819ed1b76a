import { panel } from './plugins/panel';

export { ISlurmDash } from './tokens';

export default [panel];
