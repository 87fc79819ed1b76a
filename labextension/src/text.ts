import {
  nullTranslator,
  type ITranslator,
  type TranslationBundle
} from '@jupyterlab/translation';

import { Problem } from './problem';

/** The gettext domain of every string of this extension. */
export const TEXT_DOMAIN = 'jupyter_slurmdash';

const KIBI = 1024;
const SIZE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The strings of this extension in the user's language; English without a translator. */
export function loadText(translator?: ITranslator | null): TranslationBundle {
  return (translator ?? nullTranslator).load(TEXT_DOMAIN);
}

/** Bytes in words: `4 KB`, `1.2 GB` (binary units, as file managers and Slurm have them). */
export function formatBytes(bytes: number): string {
  let size = Math.max(0, bytes);
  let unit = 0;
  // 1023.6 would be shown as 1024.
  while (Math.round(size) >= KIBI && unit < SIZE_UNITS.length - 1) {
    size /= KIBI;
    unit += 1;
  }
  const digits = unit > 1 && size < 10 ? 1 : 0;
  return `${size.toFixed(digits)} ${SIZE_UNITS[unit]}`;
}

/** Seconds as a clock, as Slurm writes it: `0:12`, `4:00:00`, `2-03:00:00`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const rest = pad(whole % MINUTE);
  if (whole < HOUR) {
    return `${minutes}:${rest}`;
  }
  const hours = Math.floor((whole % DAY) / HOUR);
  const tail = `${pad(minutes)}:${rest}`;
  return whole < DAY
    ? `${hours}:${tail}`
    : `${Math.floor(whole / DAY)}-${pad(hours)}:${tail}`;
}

/** A length of time in words, rounded to what one plans with: `40 s`, `5 min`, `4 h`, `2 days`. */
export function formatDuration(
  trans: TranslationBundle,
  seconds: number
): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE) {
    return trans.__('%1 s', whole);
  }
  if (whole < HOUR) {
    return trans.__('%1 min', Math.round(whole / MINUTE));
  }
  if (whole < 2 * DAY) {
    const hours = Math.floor(whole / HOUR);
    const minutes = Math.round((whole % HOUR) / MINUTE);
    return minutes && minutes < 60 && hours < 10
      ? trans.__('%1 h %2 min', hours, minutes)
      : trans.__('%1 h', Math.round(whole / HOUR));
  }
  return trans.__('%1 days', Math.round(whole / DAY));
}

/** How long ago a moment was: `just now`, `40 s ago`, `2 h ago`. Times are milliseconds. */
export function formatAge(
  trans: TranslationBundle,
  moment: number,
  now: number
): string {
  const seconds = (now - moment) / 1000;
  return seconds < 5
    ? trans.__('just now')
    : trans.__('%1 ago', formatDuration(trans, seconds));
}

/** A moment in full, in the user's locale; for titles of relative times. */
export function formatMoment(moment: string | null | undefined): string {
  const time = moment ? Date.parse(moment) : NaN;
  return Number.isNaN(time) ? '' : new Date(time).toLocaleString();
}

/** What went wrong and what to do, for a user. */
export function describe(trans: TranslationBundle, error: unknown): string {
  if (!(error instanceof Problem)) {
    return error instanceof Error ? error.message : String(error);
  }
  switch (error.code) {
    case 'network':
      return trans.__(
        'The Jupyter server does not answer. Check your connection; this page tries again by itself.'
      );
    case 'http-424':
      return trans.__(
        'JupyterHub has stopped your server. Start it again; what was under way goes on.'
      );
    case 'unreadable':
      return trans.__(
        'The browser cannot read this file any more: it was changed, moved or removed. Choose it again.'
      );
    case 'no-server-extension':
      return trans.__(
        'The server part of this extension is not running. Ask your administrator to enable jupyter_slurmdash, then reload.'
      );
    default:
      return error.detail || error.title || error.code;
  }
}

/** What an image's labels and name tell of the hardware it is made for. */
export function imageBadges(image: {
  name: string;
  labels: Readonly<Record<string, string>>;
}): string[] {
  const entries = Object.entries(image.labels);
  const says = (pattern: RegExp) =>
    pattern.test(image.name) ||
    entries.some(
      ([name, value]) =>
        (pattern.test(name) || pattern.test(value)) &&
        !/^(false|no|0|none)$/i.test(value.trim())
    );
  return [
    ...(says(/\b(gpu|cuda|rocm|nvidia)|[_.-](gpu|cuda|rocm)\b/i)
      ? ['GPU']
      : []),
    ...(says(/\b(mpi|openmpi|mpich)|[_.-](mpi|openmpi|mpich)\b/i)
      ? ['MPI']
      : [])
  ];
}
