import type { Check } from '../../api/types';
import { Problem } from '../../problem';

/** Why the job cannot be submitted yet, or what to think about; `pointer` leads to the field. */
export interface IFinding {
  level: 'error' | 'warning';
  message: string;
  pointer: string;
}

/** The server's checks that the limits of partition, account and QOS are behind; named after their option. */
const LIMIT_CHECKS = new Set([
  'time',
  'nodes',
  'cpus_per_task',
  'mem',
  'gres',
  'account',
  'qos'
]);

/** The server's word that form and hand-written lines differ; it says so once, the draft remembers it. */
const CONFLICT = 'edit-conflict';

/** Where the script asks what to do about it. */
export const QUESTIONS = '/edit/conflicts';

/**
 * All findings in the order of the form, each once.
 *
 * `beyond` is what the limits that are known here say of each field. The server has the last word: while it has not
 * answered yet these stand in for its checks of before; then only for its words, in the user's language.
 */
export function collectFindings(options: {
  /** What was refused. */
  problems: ReadonlyArray<unknown>;
  /** The server's answer of last. */
  checks: ReadonlyArray<Check> | null;
  beyond: ReadonlyMap<string, string>;
  /** What the user is asked about the script. */
  questions: ReadonlyArray<string>;
  /** Is that answer the one to what is in the form now? */
  current: boolean;
}): IFinding[] {
  const { beyond, current, checks } = options;
  const found: IFinding[] = options.problems.flatMap(problemFindings);
  for (const check of checks ?? []) {
    const { name, level, message, pointer } = check;
    const limit = level === 'error' && LIMIT_CHECKS.has(name);
    if (level !== 'ok' && name !== CONFLICT && (current || !limit)) {
      const own = limit ? beyond.get(fieldPointer(pointer)) : undefined;
      found.push({ level, message: own ?? message, pointer });
    }
  }
  if (!current || checks === null) {
    for (const [pointer, message] of beyond) {
      found.push({ level: 'error', message, pointer });
    }
  }
  for (const message of options.questions) {
    found.push({ level: 'warning', message, pointer: QUESTIONS });
  }
  const seen = new Set<string>();
  return found
    .map(finding => ({ ...finding, pointer: fieldPointer(finding.pointer) }))
    .filter(({ pointer, message }) => {
      const key = `${pointer}\n${message}`;
      return !seen.has(key) && seen.add(key);
    })
    .sort((one, other) => rank(one) - rank(other));
}

/** The form's order; findings of fields further down come later, errors before warnings. */
const ORDER = [
  '/template_id',
  '/image_id',
  '/app',
  '/files',
  '/parameters',
  '/options',
  '/job_name',
  '/script',
  '/edit'
];

function rank({ level, pointer }: IFinding): number {
  const at = ORDER.findIndex(field => pointer.startsWith(field));
  return (at < 0 ? ORDER.length : at) + (level === 'warning' ? 100 : 0);
}

/** The server's flat fields and the form's are the same ones. */
function fieldPointer(pointer: string): string {
  return pointer.replace(
    /^\/(partition|nodes|ntasks|time)(?=$|\/)/,
    '/options/$1'
  );
}

/** A refused request as findings: each field's, else the whole. */
function problemFindings(error: unknown): IFinding[] {
  if (!(error instanceof Problem) || !error.errors.length) {
    return [];
  }
  return error.errors.map(({ pointer, message }) => ({
    level: 'error',
    message,
    pointer
  }));
}
