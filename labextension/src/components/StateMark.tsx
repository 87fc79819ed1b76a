import {
  checkIcon,
  circleEmptyIcon,
  closeIcon,
  errorIcon,
  historyIcon,
  pauseIcon,
  runIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { useTrans } from './trans';

export type StateKind = 'waiting' | 'running' | 'done' | 'failed' | 'stopped';

const KINDS: Record<string, StateKind> = {
  PENDING: 'waiting',
  CONFIGURING: 'waiting',
  REQUEUED: 'waiting',
  SUSPENDED: 'waiting',
  RUNNING: 'running',
  COMPLETING: 'running',
  COMPLETED: 'done',
  CANCELLED: 'stopped',
  FAILED: 'failed',
  TIMEOUT: 'failed',
  OUT_OF_MEMORY: 'failed',
  NODE_FAIL: 'failed',
  PREEMPTED: 'failed',
  BOOT_FAIL: 'failed',
  DEADLINE: 'failed'
};

const ICONS: Record<StateKind, LabIcon> = {
  waiting: historyIcon,
  running: runIcon,
  done: checkIcon,
  failed: errorIcon,
  stopped: closeIcon
};

/** What family a job's state belongs to; undefined for one that we do not know. */
export function kindOf(state: string): StateKind | undefined {
  return KINDS[state];
}

/** Has the job ended? */
export function isFinal(state: string): boolean {
  return ['done', 'failed', 'stopped'].includes(kindOf(state) ?? '');
}

/** A job's state in the user's words. */
export function stateWord(trans: TranslationBundle, state: string): string {
  switch (state) {
    case 'PENDING':
      return trans.__('Waiting');
    case 'CONFIGURING':
      return trans.__('Starting');
    case 'REQUEUED':
      return trans.__('Waiting again');
    case 'SUSPENDED':
      return trans.__('Suspended');
    case 'RUNNING':
      return trans.__('Running');
    case 'COMPLETING':
      return trans.__('Ending');
    case 'COMPLETED':
      return trans.__('Completed');
    case 'CANCELLED':
      return trans.__('Cancelled');
    case 'FAILED':
      return trans.__('Failed');
    case 'TIMEOUT':
      return trans.__('Out of time');
    case 'OUT_OF_MEMORY':
      return trans.__('Out of memory');
    case 'NODE_FAIL':
      return trans.__('Node failed');
    case 'PREEMPTED':
      return trans.__('Displaced');
    case 'BOOT_FAIL':
      return trans.__('Node did not start');
    case 'DEADLINE':
      return trans.__('Deadline passed');
    default:
      return trans.__('Unknown');
  }
}

/** Only the icon of a state; the word stands beside it. */
export function StateIcon({ state }: { state: string }): React.JSX.Element {
  const kind = kindOf(state);
  const icon =
    state === 'SUSPENDED' ? pauseIcon : kind ? ICONS[kind] : circleEmptyIcon;
  return (
    <icon.react
      tag="span"
      className={`jp-slurmdash-StateIcon jp-mod-${kind ?? 'unknown'}`}
      aria-hidden="true"
    />
  );
}

/** A state as icon, word and colour; Slurm's own word is one hover away. */
export function StateMark({
  state,
  raw
}: {
  state: string;
  raw?: string;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <span
      className="jp-slurmdash-StateMark"
      title={raw || state}
      data-testid="slurmdash-job-state"
      data-state={state}
    >
      <StateIcon state={state} />
      {stateWord(trans, state)}
    </span>
  );
}
