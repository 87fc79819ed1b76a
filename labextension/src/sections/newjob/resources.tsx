import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Partition } from '../../api/types';
import { SelectField, TextField } from '../../components/Field';
import { Part } from '../../components/Part';
import { useTrans } from '../../components/trans';
import { formatBytes, formatClock, formatDuration } from '../../text';
import { AccountFields } from './accounts';
import {
  MORE_OPTIONS,
  optionText,
  RARE_OPTIONS,
  templateOption
} from './draft';
import { optionLabel } from './fieldwords';
import { Lockable } from './locks';
import { boundHelp, type Bounded } from './limits';
import type { NewJobModel } from './model';

/** What the job asks of the cluster, each field with the most that partition, account and QOS allow. */
export function Resources({
  model
}: {
  model: NewJobModel;
}): React.JSX.Element {
  const trans = useTrans();
  const { limits } = model.limits;
  const help = (field: Bounded) =>
    limits ? boundHelp(trans, limits, field) : undefined;
  return (
    <Part title={trans.__('Resources')}>
      <PartitionField model={model} />
      {model.limits.hasAccounts && (
        <div className="jp-slurmdash-Grid">
          <AccountFields model={model} />
        </div>
      )}
      <div className="jp-slurmdash-Grid jp-mod-narrow">
        <Option
          model={model}
          name="nodes"
          fallback="1"
          inputMode="numeric"
          hint={help('nodes')}
        />
        <Option model={model} name="ntasks" fallback="1" inputMode="numeric" />
        <Option
          model={model}
          name="cpus_per_task"
          fallback="1"
          inputMode="numeric"
          hint={help('cpus_per_task')}
        />
        <Option
          model={model}
          name="mem"
          fallback={trans.__('e.g. 8G')}
          hint={help('mem')}
        />
        <Option model={model} name="gres" fallback="0" hint={help('gpus')} />
        <Option
          model={model}
          name="time"
          fallback={
            limits?.default_time
              ? formatClock(limits.default_time)
              : trans.__('h:mm:ss')
          }
          hint={help('time')}
        />
      </div>
      <MoreOptions model={model} />
    </Part>
  );
}

/** What is known of the limits, where it is not all; quietly: the form works without them. */
function LimitsState({ model }: { model: NewJobModel }): React.JSX.Element {
  const trans = useTrans();
  const { state, limits } = model.limits;
  return (
    <span role="status" data-testid="slurmdash-limits" data-state={state}>
      {state === 'loading' && !limits
        ? trans.__('Asking for your limits…')
        : state === 'silent'
          ? limits
            ? trans.__('Slurm does not answer; the limits are those of before.')
            : trans.__(
                'Slurm does not tell your limits now; it checks them when you submit.'
              )
          : null}
    </span>
  );
}

function PartitionField({ model }: { model: NewJobModel }): React.JSX.Element {
  const trans = useTrans();
  const { partitions } = model.cluster;
  const value = optionText(model.draft, model.template, 'partition');
  const standard = partitions.find(partition => partition.is_default);
  const known = partitions.some(partition => partition.name === value);
  const hint = (
    <>
      {model.partition ? (
        <div>{partitionWords(trans, model.partition)}</div>
      ) : null}
      <LimitsState model={model} />
    </>
  );
  const select = (hint: React.ReactNode) => (
    <SelectField
      label={trans.__('Partition')}
      value={value}
      testId="slurmdash-option-partition"
      pointer="/options/partition"
      error={model.messages('error').get('/options/partition')}
      warning={model.messages('warning').get('/options/partition')}
      hint={hint}
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
  return (
    <Lockable model={model} name="partition" hint={hint}>
      {select}
    </Lockable>
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
  fallback,
  hint,
  inputMode
}: {
  model: NewJobModel;
  name: string;
  fallback?: string;
  hint?: string;
  inputMode?: 'numeric';
}): React.JSX.Element {
  const trans = useTrans();
  const pointer = `/options/${name}`;
  const field = (hint: React.ReactNode) => (
    <TextField
      label={optionLabel(trans, name)}
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
  return (
    <Lockable model={model} name={name} hint={hint}>
      {field}
    </Lockable>
  );
}

function MoreOptions({ model }: { model: NewJobModel }): React.JSX.Element {
  const trans = useTrans();
  const errors = model.messages('error');
  const text = (name: string) => optionText(model.draft, model.template, name);
  const names = MORE_OPTIONS.filter(
    name => !(model.limits.hasAccounts && isAccount(name))
  );
  const rare = RARE_OPTIONS.filter(
    name => text(name) || model.draft.options[name] !== undefined
  );
  const wrong = [...names, ...rare].some(name =>
    errors.has(`/options/${name}`)
  );
  const used = [...names, ...rare].filter(text).length;
  return (
    <details className="jp-slurmdash-More" open={wrong || undefined}>
      <summary>
        {used
          ? trans.__('More options (%1 set)', used)
          : trans.__('More options')}
      </summary>
      <div className="jp-slurmdash-Grid">
        {!model.limits.hasAccounts && <AccountFields model={model} />}
        {[...names.filter(name => !isAccount(name)), ...rare].map(name => (
          <Option key={name} model={model} name={name} />
        ))}
      </div>
    </details>
  );
}

function isAccount(name: string): boolean {
  return name === 'account' || name === 'qos';
}
