export interface IDiffLine {
  kind: 'add' | 'remove' | 'same' | 'place';
  text: string;
}

/** The lines of a unified diff, without its two lines of names. */
export function readDiff(diff: string): IDiffLine[] {
  const lines = diff.replace(/\n$/, '').split('\n');
  const first = lines.findIndex(line => line.startsWith('@@'));
  return first < 0
    ? []
    : lines.slice(first).map(line => ({
        kind: line.startsWith('@@')
          ? 'place'
          : line.startsWith('+')
            ? 'add'
            : line.startsWith('-')
              ? 'remove'
              : 'same',
        text: line.startsWith('@@') ? line : line.slice(1)
      }));
}
