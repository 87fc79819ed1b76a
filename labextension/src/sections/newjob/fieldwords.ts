import type { TranslationBundle } from '@jupyterlab/translation';

import type { Template } from '../../api/types';
import { namesOf, type IObjectSchema } from '../../components/schemafields';

/** Lines that were written by hand; no field made them. */
export const BY_HAND = '/edit';

/** An option's name in the form. */
export function optionLabel(trans: TranslationBundle, name: string): string {
  const labels: Record<string, string> = {
    partition: trans.__('Partition'),
    nodes: trans.__('Nodes'),
    ntasks: trans.__('Tasks'),
    ntasks_per_node: trans.__('Tasks per node'),
    cpus_per_task: trans.__('CPUs per task'),
    mem: trans.__('Memory per node'),
    mem_per_cpu: trans.__('Memory per CPU'),
    gres: trans.__('GPUs per node'),
    time: trans.__('Time limit'),
    account: trans.__('Account'),
    qos: trans.__('Quality of service'),
    constraint: trans.__('Node features'),
    reservation: trans.__('Reservation'),
    dependency: trans.__('Dependency'),
    begin: trans.__('Begin'),
    nodelist: trans.__('On these nodes'),
    exclude: trans.__('Not on these nodes'),
    mail_type: trans.__('Mail when'),
    mail_user: trans.__('Mail to'),
    array: trans.__('Array of tasks'),
    nice: trans.__('Lower priority by'),
    output: trans.__('File for the output'),
    error: trans.__('File for the errors')
  };
  return labels[name] ?? `--${name.replaceAll('_', '-')}`;
}

/** The name of the field at a JSON Pointer, as it stands in the form. */
export function fieldLabel(
  trans: TranslationBundle,
  pointer: string,
  template: Template | null
): string {
  const [, part, ...rest] = pointer.split('/');
  const name = rest.join('/');
  switch (part) {
    case 'options':
      return optionLabel(trans, name);
    case 'parameters': {
      const schema = template?.parameters as IObjectSchema | null | undefined;
      const field = schema && namesOf(schema).get(name);
      return field?.title ?? name.replaceAll('_', ' ');
    }
    case 'files':
      return trans.__('File %1', name);
    case 'job_name':
      return trans.__('Job name');
    case 'template_id':
      return trans.__('Template');
    case 'image_id':
      return trans.__('Image');
    case 'app':
      return trans.__('App');
    case 'edit':
      return trans.__('kept by hand');
    default:
      return '';
  }
}
