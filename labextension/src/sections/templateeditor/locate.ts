/**
 * The line (from 1) at which a JSON Pointer's value begins in a YAML text, for marks and jumps.
 *
 * A rough reading by indentation: block mappings and lists, as templates are written. Where it loses its way
 * (flow style, aliases) it stays at the nearest line it knows; 1 when it knows none.
 */
export function lineOf(text: string, pointer: string): number {
  const lines = text.split('\n');
  const steps = pointer
    .split('/')
    .slice(1)
    .map(step => step.replace(/~1/g, '/').replace(/~0/g, '~'));
  let [at, end, known] = [0, lines.length, 1];
  for (const step of steps) {
    const found = child(lines, at, end, step);
    if (!found) {
      break;
    }
    known = found.line + 1;
    // In a list, the item's first key is on the line of its dash.
    [at, end] = [found.inside, found.end];
  }
  return known;
}

function child(
  lines: readonly string[],
  from: number,
  to: number,
  step: string
): { line: number; inside: number; end: number } | null {
  let depth = -1;
  let count = -1;
  let found: { line: number; inside: number } | null = null;
  for (let at = from; at < to; at++) {
    const line = lines[at];
    if (!line.trim() || line.trim().startsWith('#')) {
      continue;
    }
    const dash = /^(\s*)-(\s+|$)/.exec(line);
    const indent = dash
      ? dash[1].length
      : line.length - line.trimStart().length;
    depth = depth < 0 ? startOf(line, /^\d+$/.test(step)) : depth;
    // A list may stand below its key without being indented.
    const below = dash && indent === depth && !/^\d+$/.test(step);
    if (found && indent <= depth && !below) {
      return { ...found, end: at };
    }
    if (found) {
      continue;
    }
    if (dash && indent === depth && /^\d+$/.test(step)) {
      count += 1;
      if (count === Number(step)) {
        found = { line: at, inside: at };
      }
    } else if (keyOf(line, depth) === step) {
      found = { line: at, inside: at + 1 };
    } else if (indent < depth && !dash) {
      return null;
    }
  }
  return found && { ...found, end: to };
}

/** The column at which this block's keys or dashes stand. */
function startOf(line: string, list: boolean): number {
  const dashes = /^(\s*)(-\s+)/.exec(line);
  return dashes && !list
    ? dashes[0].length
    : line.length - line.trimStart().length;
}

function keyOf(line: string, column: number): string | null {
  if (line.slice(0, column).replace(/[-\s]/g, '')) {
    return null;
  }
  const match = /^("([^"]*)"|'([^']*)'|([^\s:#'"-][^:#]*?))\s*:(\s|$)/.exec(
    line.slice(column)
  );
  return match ? (match[2] ?? match[3] ?? match[4]) : null;
}
