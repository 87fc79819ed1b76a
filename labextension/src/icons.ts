import { LabIcon } from '@jupyterlab/ui-components';

import slurmSvg from '../style/icons/slurm.svg';

/** Jobs on a time line, and the one that runs. */
export const slurmIcon = new LabIcon({
  name: 'jupyter-slurmdash:slurm',
  svgstr: slurmSvg
});
