import {
  checkIcon,
  circleEmptyIcon,
  errorIcon,
  historyIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { components } from '../api/schema';
import { formatAge, formatDuration, formatMoment } from '../text';
import { useTrans } from './trans';

export type CheckBrief = components['schemas']['TemplateCheckBrief'];
export type Runs = components['schemas']['TemplateRuns'];
export type Level = CheckBrief['level'];

const ICONS: Record<Level, [LabIcon, string]> = {
  ok: [checkIcon, 'done'],
  warning: [errorIcon, 'waiting'],
  error: [errorIcon, 'failed']
};

/** Only the icon of a level; the word stands beside it. */
export function LevelIcon({
  level
}: {
  level: Level | 'running' | 'none';
}): React.JSX.Element {
  const [icon, kind] =
    level === 'running'
      ? [historyIcon, 'running']
      : level === 'none'
        ? [circleEmptyIcon, 'none']
        : ICONS[level];
  return (
    <icon.react
      tag="span"
      className={`jp-slurmdash-StateIcon jp-mod-${kind}`}
      aria-hidden="true"
    />
  );
}

/** What a template's last check found and how old that is, as icon and words. */
export function CheckMark({
  check,
  running,
  now,
  testId
}: {
  check: CheckBrief | null | undefined;
  running: boolean;
  now: number;
  testId: string;
}): React.JSX.Element {
  const trans = useTrans();
  const level = running ? 'running' : check?.current ? check.level : 'none';
  return (
    <span
      className="jp-slurmdash-CheckMark"
      data-testid={testId}
      data-level={level}
      title={formatMoment(check?.checked_at)}
    >
      <LevelIcon level={level} />
      {running ? trans.__('Checking…') : checkWords(trans, check, now)}
    </span>
  );
}

/** `ok, checked 2 h ago`; times are milliseconds. */
export function checkWords(
  trans: TranslationBundle,
  check: CheckBrief | null | undefined,
  now: number
): string {
  if (!check) {
    return trans.__('not checked yet');
  }
  if (!check.current) {
    return trans.__('not checked since it was changed');
  }
  const age = formatAge(trans, Date.parse(check.checked_at), now);
  switch (check.level) {
    case 'ok':
      return trans.__('checked %1', age);
    case 'warning':
      return trans.__('a warning, checked %1', age);
    case 'error':
      return trans.__('does not work, checked %1', age);
  }
}

/** How many of the user's jobs ended well: `3 of 4 ended well`. */
export function countWords(trans: TranslationBundle, runs: Runs): string {
  const { good, ended, cancelled } = runs;
  const counted = ended ? trans.__('%1 of %2 ended well', good, ended) : '';
  const stopped = cancelled ? trans.__('%1 cancelled', cancelled) : '';
  return [counted, stopped].filter(Boolean).join(', ');
}

/** Medians: `median wait 12 s, run 3 min`; empty where there is none. */
export function medianWords(trans: TranslationBundle, runs: Runs): string {
  const { median_wait: wait, median_run: run } = runs;
  const words = (seconds: number) => formatDuration(trans, seconds);
  if (wait !== null && run !== null) {
    return trans.__('median wait %1, run %2', words(wait), words(run));
  }
  if (wait !== null) {
    return trans.__('median wait %1', words(wait));
  }
  return run !== null ? trans.__('median run %1', words(run)) : '';
}
