import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * Why a job waits, in words; Slurm's own word when we have none for it.
 *
 * The words are those of Slurm's `job_reasons` page.
 */
export function reasonWords(trans: TranslationBundle, reason: string): string {
  const word = reason.replace(/^\(|\)$/g, '');
  if (/^(ReqNodeNotAvail|UnavailableNodes)/.test(word)) {
    return trans.__('The nodes it asks for are not available now.');
  }
  if (/^QOS/.test(word)) {
    return trans.__('A limit of its quality of service is reached (%1).', word);
  }
  if (/^Assoc/.test(word)) {
    return trans.__('A limit of your account is reached (%1).', word);
  }
  switch (word) {
    case '':
    case 'None':
      return '';
    case 'Resources':
      return trans.__('Waits for free nodes; it is next in line.');
    case 'Priority':
      return trans.__('Waits behind jobs with a higher priority.');
    case 'Dependency':
      return trans.__('Waits for the jobs it depends on.');
    case 'DependencyNeverSatisfied':
      return trans.__('A job it depends on failed, so it can never start.');
    case 'BeginTime':
      return trans.__('Waits for its begin time.');
    case 'JobHeldUser':
      return trans.__('You hold it.');
    case 'JobHeldAdmin':
      return trans.__('An administrator holds it.');
    case 'PartitionTimeLimit':
      return trans.__('Its time is more than the partition allows.');
    case 'PartitionNodeLimit':
    case 'PartitionConfig':
      return trans.__('It asks for more nodes than the partition gives.');
    case 'PartitionDown':
      return trans.__('Its partition is down.');
    case 'PartitionInactive':
      return trans.__('Its partition takes no jobs now.');
    case 'NodeDown':
      return trans.__('A node it needs is down.');
    case 'Licenses':
      return trans.__('Waits for a licence.');
    case 'Reservation':
      return trans.__('Waits for its reservation.');
    case 'JobArrayTaskLimit':
      return trans.__('Waits for other tasks of its array.');
    case 'Cleaning':
      return trans.__('Its last run is being cleaned up.');
    case 'launch failed requeued held':
      return trans.__('Its start failed; Slurm holds it.');
    default:
      return word;
  }
}
