import { LabIcon } from '@jupyterlab/ui-components';

import slurmSvg from '../style/icons/slurm.svg';

/** A queue of jobs, the first of them running. */
export const slurmIcon = new LabIcon({
  name: 'jupyter-slurmdash:slurm',
  svgstr: slurmSvg
});
