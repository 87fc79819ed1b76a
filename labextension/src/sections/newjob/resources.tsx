import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Partition } from '../../api/types';
import { SelectField, TextField } from '../../components/Field';
import { Part } from '../../components/Part';
import { useTrans } from '../../components/trans';
import { formatBytes, formatDuration } from '../../text';
import { MORE_OPTIONS, optionText, templateOption } from './draft';
import type { NewJobModel } from './model';

/** What the job asks of the cluster, each field with what the partition gives. */
export function Resources({
  model
}: {
  model: NewJobModel;
}): React.JSX.Element {
  const trans = useTrans();
  const { partition } = model;
  return (
    <Part title={trans.__('Resources')}>
      <PartitionField model={model} />
      <div className="jp-slurmdash-Grid jp-mod-narrow">
        <Option
          model={model}
          name="nodes"
          label={trans.__('Nodes')}
          fallback="1"
          inputMode="numeric"
          hint={
            partition
              ? trans.__('at most %1', partition.nodes.length)
              : undefined
          }
        />
        <Option
          model={model}
          name="ntasks"
          label={trans.__('Tasks')}
          fallback="1"
          inputMode="numeric"
        />
        <Option
          model={model}
          name="cpus_per_task"
          label={trans.__('CPUs per task')}
          fallback="1"
          inputMode="numeric"
          hint={
            partition?.cpus_per_node
              ? trans.__('a node has %1', partition.cpus_per_node)
              : undefined
          }
        />
        <Option
          model={model}
          name="mem"
          label={trans.__('Memory per node')}
          fallback={trans.__('e.g. 8G')}
          hint={
            partition?.memory_per_node
              ? trans.__(
                  'a node has %1',
                  formatBytes(partition.memory_per_node)
                )
              : undefined
          }
        />
        <Option
          model={model}
          name="gres"
          label={trans.__('GPUs per node')}
          fallback="0"
          hint={
            partition
              ? partition.gpus_per_node
                ? trans.__('a node has %1', partition.gpus_per_node)
                : trans.__('this partition has none')
              : undefined
          }
        />
        <Option
          model={model}
          name="time"
          label={trans.__('Time limit')}
          fallback={trans.__('h:mm:ss')}
          hint={
            partition?.max_time
              ? trans.__(
                  'at most %1',
                  formatDuration(trans, partition.max_time)
                )
              : undefined
          }
        />
      </div>
      <MoreOptions model={model} />
    </Part>
  );
}

function PartitionField({ model }: { model: NewJobModel }): React.JSX.Element {
  const trans = useTrans();
  const { partitions } = model.cluster;
  const value = optionText(model.draft, model.template, 'partition');
  const standard = partitions.find(partition => partition.is_default);
  const known = partitions.some(partition => partition.name === value);
  return (
    <SelectField
      label={trans.__('Partition')}
      value={value}
      testId="slurmdash-option-partition"
      pointer="/options/partition"
      error={model.messages('error').get('/options/partition')}
      warning={model.messages('warning').get('/options/partition')}
      hint={
        model.partition ? partitionWords(trans, model.partition) : undefined
      }
      options={[
        ...(templateOption(model.template, 'partition')
          ? []
          : [
              {
                value: '',
                label: standard
                  ? trans.__('%1 (the cluster’s default)', standard.name)
                  : trans.__('The cluster’s default')
              }
            ]),
        ...(value && !known
          ? [{ value, label: trans.__('%1 (not on this cluster)', value) }]
          : []),
        ...partitions.map(({ name }) => ({ value: name, label: name }))
      ]}
      onChange={name => model.setOption('partition', name)}
    />
  );
}

/** A partition and its limits in words. */
export function partitionWords(
  trans: TranslationBundle,
  partition: Partition
): string {
  const each = [
    partition.cpus_per_node
      ? trans._n('%1 CPU', '%1 CPUs', partition.cpus_per_node)
      : '',
    partition.memory_per_node ? formatBytes(partition.memory_per_node) : '',
    partition.gpus_per_node
      ? trans._n('%1 GPU', '%1 GPUs', partition.gpus_per_node)
      : ''
  ].filter(Boolean);
  const nodes = trans._n('%1 node', '%1 nodes', partition.nodes.length);
  return [
    each.length ? trans.__('%1 with %2', nodes, each.join(', ')) : nodes,
    partition.max_time
      ? trans.__('up to %1', formatDuration(trans, partition.max_time))
      : trans.__('no time limit'),
    /^up$/i.test(partition.state) ? '' : partition.state
  ]
    .filter(Boolean)
    .join(' · ');
}

function Option({
  model,
  name,
  label,
  fallback,
  hint,
  inputMode
}: {
  model: NewJobModel;
  name: string;
  label: string;
  fallback?: string;
  hint?: string;
  inputMode?: 'numeric';
}): React.JSX.Element {
  const pointer = `/options/${name}`;
  return (
    <TextField
      label={label}
      value={optionText(model.draft, model.template, name)}
      placeholder={templateOption(model.template, name) || fallback}
      inputMode={inputMode}
      testId={`slurmdash-option-${name}`}
      pointer={pointer}
      error={model.messages('error').get(pointer)}
      warning={model.messages('warning').get(pointer)}
      hint={hint}
      onChange={value => model.setOption(name, value)}
    />
  );
}

function MoreOptions({ model }: { model: NewJobModel }): React.JSX.Element {
  const trans = useTrans();
  const errors = model.messages('error');
  const wrong = MORE_OPTIONS.some(name => errors.has(`/options/${name}`));
  const used = MORE_OPTIONS.filter(name =>
    optionText(model.draft, model.template, name)
  ).length;
  const labels: Record<(typeof MORE_OPTIONS)[number], string> = {
    account: trans.__('Account'),
    qos: trans.__('Quality of service'),
    constraint: trans.__('Node features'),
    reservation: trans.__('Reservation'),
    dependency: trans.__('Dependency'),
    begin: trans.__('Begin'),
    nodelist: trans.__('On these nodes'),
    exclude: trans.__('Not on these nodes'),
    mail_type: trans.__('Mail when'),
    mail_user: trans.__('Mail to')
  };
  return (
    <details className="jp-slurmdash-More" open={wrong || undefined}>
      <summary>
        {used
          ? trans.__('More options (%1 set)', used)
          : trans.__('More options')}
      </summary>
      <div className="jp-slurmdash-Grid">
        {MORE_OPTIONS.map(name => (
          <Option key={name} model={model} name={name} label={labels[name]} />
        ))}
      </div>
    </details>
  );
}
