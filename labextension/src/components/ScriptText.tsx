import * as React from 'react';

/** A shell script, read only, coloured lightly; lines that changed since it was last drawn glow once. */
export function ScriptText({
  script,
  label,
  testId,
  stale = false
}: {
  script: string;
  label: string;
  testId?: string;
  /** It is the script of a moment ago. */
  stale?: boolean;
}): React.JSX.Element {
  const lines = React.useMemo(() => script.split('\n'), [script]);
  const fresh = useFresh(lines);
  return (
    <pre
      className={`jp-slurmdash-Script ${stale ? 'jp-mod-stale' : ''}`}
      tabIndex={0}
      role="region"
      aria-label={label}
      data-testid={testId}
    >
      {lines.map((line, index) => (
        <div
          // A changed line is another element, so that its glow begins anew.
          key={`${index}:${line}`}
          className={fresh?.[index] && line ? 'jp-mod-changed' : undefined}
        >
          <ShellLine line={line} />
          {'\n'}
        </div>
      ))}
    </pre>
  );
}

/** Which lines were not there when the script was last drawn; null the first time. */
export function useFresh(lines: ReadonlyArray<string>): boolean[] | null {
  const before = React.useRef<ReadonlySet<string> | null>(null);
  const fresh = React.useMemo(() => {
    const known = before.current;
    return known === null ? null : lines.map(line => !known.has(line));
  }, [lines]);
  React.useEffect(() => {
    before.current = new Set(lines);
  }, [lines]);
  return fresh;
}

/** A line of shell in colours. */
export function ShellLine({ line }: { line: string }): React.JSX.Element {
  return (
    <>
      {tokens(line).map(([kind, text], at) =>
        kind ? (
          <span key={at} className={`jp-slurmdash-Script-${kind}`}>
            {text}
          </span>
        ) : (
          text
        )
      )}
    </>
  );
}

type Token = [
  '' | 'directive' | 'comment' | 'keyword' | 'variable' | 'string',
  string
];

const WORDS =
  /('[^']*'|\$\{[^}]*\}|\$[A-Za-z_]\w*|\$[@*#?0-9]|\b(?:export|if|then|else|fi|for|do|done|set|trap)\b)/;

/** One line of shell as coloured pieces; a rough reading, for the eye only. */
export function tokens(line: string): Token[] {
  if (/^#SBATCH\b/.test(line)) {
    return [
      ['directive', '#SBATCH'],
      ['', line.slice('#SBATCH'.length)]
    ];
  }
  if (/^\s*#/.test(line)) {
    return [['comment', line]];
  }
  return line
    .split(WORDS)
    .filter(Boolean)
    .map((part): Token => {
      if (part.startsWith('$') && part.length > 1) {
        return ['variable', part];
      }
      if (part.startsWith("'") && part.length > 1) {
        return ['string', part];
      }
      return WORDS.test(part) ? ['keyword', part] : ['', part];
    });
}
