import * as React from 'react';

import { ErrorNote } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import type { ClusterModel } from './model';

/** One line of truth: which cluster, and what is free. */
export function ClusterLine({
  model
}: {
  model: ClusterModel;
}): React.JSX.Element {
  useModel(model);
  const trans = useTrans();
  const { scheduler, capacity } = model;
  const parts: string[] = [];
  if (scheduler) {
    parts.push(
      scheduler.is_cluster
        ? scheduler.cluster || scheduler.name
        : trans.__('Local runner — not a cluster')
    );
  }
  if (capacity.cpus) {
    parts.push(
      trans._n(
        '%2 of %1 core free',
        '%2 of %1 cores free',
        capacity.cpus,
        capacity.cpusFree
      )
    );
  }
  if (capacity.gpus) {
    parts.push(
      trans._n(
        '%2 of %1 GPU',
        '%2 of %1 GPUs',
        capacity.gpus,
        capacity.gpusFree
      )
    );
  }
  return (
    <div
      className="jp-slurmdash-ClusterLine"
      data-testid="slurmdash-cluster-line"
    >
      {parts.length ? (
        <span title={scheduler?.version}>
          {parts.map((part, index) => (
            <React.Fragment key={part}>
              {index > 0 && ' · '}
              <span className="jp-slurmdash-ClusterLine-part">{part}</span>
            </React.Fragment>
          ))}
        </span>
      ) : model.error ? null : (
        <span>{trans.__('Asking the scheduler…')}</span>
      )}
      {model.error ? (
        <ErrorNote error={model.error} onRetry={() => void model.refresh()} />
      ) : null}
    </div>
  );
}
