import type { TranslationBundle } from '@jupyterlab/translation';

import type { Limits } from '../../api/types';
import { formatBytes, formatClock } from '../../text';

export type Bounded = keyof Limits['bounds'];

/** A bounded field and the option that asks for it. */
const FIELDS: ReadonlyArray<[Bounded, string]> = [
  ['nodes', 'nodes'],
  ['cpus_per_task', 'cpus_per_task'],
  ['mem', 'mem'],
  ['gpus', 'gres'],
  ['time', 'time']
];

const MEBI = 2 ** 20;

/** The most of a field and whose limit that is, as help beside it; undefined where there is none. */
export function boundHelp(
  trans: TranslationBundle,
  limits: Limits,
  field: Bounded
): string | undefined {
  const bound = limits.bounds[field];
  if (!bound) {
    return undefined;
  }
  const most = shortAmount(field, bound.maximum);
  const [kind, name] = sourceOf(limits, bound.source);
  if (field === 'gpus' && bound.maximum === 0 && kind === 'nodes') {
    return trans.__('%1 has none', limits.partition);
  }
  switch (kind) {
    case 'QOS':
      return trans.__('at most %1 with QOS %2', most, name);
    case 'account':
      return trans.__('at most %1 for account %2', most, name);
    default:
      return trans.__('at most %1 on %2', most, name);
  }
}

/** JSON Pointer → what is said of a value beyond its bound; in English the very words of the server's check. */
export function beyondLimits(
  trans: TranslationBundle,
  limits: Limits,
  textOf: (option: string) => string
): Map<string, string> {
  const found = new Map<string, string>();
  for (const [field, option] of FIELDS) {
    const bound = limits.bounds[field];
    const amount = asked(field, textOf(option));
    if (bound && amount !== null && amount > bound.maximum) {
      const most = longAmount(trans, field, bound.maximum);
      const [kind, name] = sourceOf(limits, bound.source);
      found.set(`/options/${option}`, allows(trans, kind, name, most));
    }
  }
  return found;
}

/** How much a field asks for, in its bound's unit; null for nothing, or for what only the server can judge. */
export function asked(field: Bounded, typed: string): number | null {
  const text = typed.trim();
  switch (field) {
    case 'time':
      return secondsOf(text);
    case 'mem':
      return memoryOf(text);
    case 'gpus':
      return gpusOf(text);
    case 'nodes':
      return countOf(text.split('-')[0]);
    default:
      return countOf(text);
  }
}

function allows(
  trans: TranslationBundle,
  kind: string,
  name: string,
  most: string
): string {
  switch (kind) {
    case 'nodes':
      return trans.__('Partition %1 has at most %2.', name, most);
    case 'QOS':
      return trans.__('QOS %1 allows at most %2.', name, most);
    case 'account':
      return trans.__('Account %1 allows at most %2.', name, most);
    default:
      return trans.__('Partition %1 allows at most %2.', name, most);
  }
}

function sourceOf(limits: Limits, source: string): [string, string] {
  const cut = source.indexOf(' ');
  return cut < 0
    ? [source, limits.partition]
    : [source.slice(0, cut), source.slice(cut + 1)];
}

function shortAmount(field: Bounded, amount: number): string {
  switch (field) {
    case 'time':
      return formatClock(amount);
    case 'mem':
      return formatBytes(amount);
    default:
      return String(amount);
  }
}

function longAmount(
  trans: TranslationBundle,
  field: Bounded,
  amount: number
): string {
  switch (field) {
    case 'time':
      return trans.__('%1 min', Math.floor(amount / 60));
    case 'mem':
      return trans.__('%1 MiB of memory', Math.floor(amount / MEBI));
    case 'gpus':
      return trans.__('%1 GPUs on a node', amount);
    case 'nodes':
      return trans.__('%1 nodes', amount);
    default:
      return trans.__('%1 CPUs', amount);
  }
}

/** The forms of `--time` (sbatch(1)) with the seconds of each part. */
const TIMES: ReadonlyArray<[RegExp, ReadonlyArray<number>]> = [
  [/^(\d+)$/, [60]],
  [/^(\d+):(\d+)$/, [60, 1]],
  [/^(\d+):(\d+):(\d+)$/, [3600, 60, 1]],
  [/^(\d+)-(\d+)$/, [86400, 3600]],
  [/^(\d+)-(\d+):(\d+)$/, [86400, 3600, 60]],
  [/^(\d+)-(\d+):(\d+):(\d+)$/, [86400, 3600, 60, 1]]
];

function secondsOf(text: string): number | null {
  for (const [form, units] of TIMES) {
    const parts = form.exec(text)?.slice(1);
    if (parts) {
      const sum = units.reduce(
        (total, unit, at) => total + Number(parts[at]) * unit,
        0
      );
      return sum || null;
    }
  }
  return null;
}

/** A number alone is MiB; 0 means all of the node. */
function memoryOf(text: string): number | null {
  const parts = /^(\d+)([KMGTP]?)B?$/i.exec(text);
  if (!parts) {
    return null;
  }
  const bare = /^\d+$/.test(text);
  const power = bare ? 2 : ' KMGTP'.indexOf(parts[2].toUpperCase() || ' ');
  return Number(parts[1]) * 1024 ** power || null;
}

/** GPUs of `--gres`; a GRES without a count means one, and a number alone is so many GPUs. */
function gpusOf(text: string): number | null {
  if (/^\d+$/.test(text)) {
    return Number(text) || null;
  }
  let count = 0;
  for (const item of text.replace(/\([^)]*\)/g, '').split(',')) {
    const [name, ...rest] = item.trim().split(':');
    if (name === 'gpu') {
      const last = /^(\d+)([KMGTP]?)$/.exec(rest.at(-1) ?? '1');
      count += last
        ? Number(last[1]) * 1024 ** ' KMGTP'.indexOf(last[2] || ' ')
        : 1;
    }
  }
  return count || null;
}

function countOf(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) || null : null;
}
