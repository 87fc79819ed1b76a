import type { TranslationBundle } from '@jupyterlab/translation';
import { infoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Button } from '../../components/Buttons';
import { useTrans } from '../../components/trans';
import { describe, formatBytes } from '../../text';
import type { IObstacle, IQuestion } from './filesintake';
import type { IShort } from './fileslook';

/** Names that are written out; the rest is a number. */
const NAMED = 4;

/** What to do with names that are taken: one question for a whole drop. Escape skips. */
export function Question({
  question: { names, answer }
}: {
  question: IQuestion;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <Ask
      testId="slurmdash-clash"
      title={trans._n(
        '%1 file of this name is there already.',
        '%1 files of these names are there already.',
        names.length
      )}
      onEscape={() => answer('skip')}
      actions={
        <>
          <Button
            small
            data-testid="slurmdash-clash-keep"
            title={trans.__('The new ones get a number: name (2)')}
            onClick={() => answer('keep')}
          >
            {trans.__('Keep both')}
          </Button>
          <Button
            small
            data-testid="slurmdash-clash-replace"
            onClick={() => answer('replace')}
          >
            {trans.__('Replace')}
          </Button>
          <Button
            small
            data-testid="slurmdash-clash-skip"
            onClick={() => answer('skip')}
          >
            {trans.__('Skip')}
          </Button>
        </>
      }
    >
      <ul className="jp-slurmdash-Ask-names">
        {names.slice(0, NAMED).map(name => (
          <li key={name}>{name}</li>
        ))}
        {names.length > NAMED && (
          <li>{trans.__('and %1 more', names.length - NAMED)}</li>
        )}
      </ul>
    </Ask>
  );
}

/** Why nothing of a drop was sent, and what to do. */
export function Obstacle({
  obstacle: { files, short, error, answer }
}: {
  obstacle: IObstacle;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <Ask
      testId="slurmdash-obstacle"
      title={trans._n(
        '%1 file was not sent.',
        '%1 files were not sent.',
        files
      )}
      onEscape={() => answer(false)}
      actions={
        <>
          <Button
            small
            data-testid="slurmdash-obstacle-again"
            onClick={() => answer(true)}
          >
            {trans.__('Try again')}
          </Button>
          <Button small onClick={() => answer(false)}>
            {trans.__('Do not send')}
          </Button>
        </>
      }
    >
      <p>{short ? shortText(trans, short) : describe(trans, error)}</p>
    </Ask>
  );
}

function shortText(
  trans: TranslationBundle,
  { what, needed, left }: IShort
): string {
  switch (what) {
    case 'files':
      return trans.__(
        'They are %1 files, and your quota leaves %2 more. Remove what you no longer need, or pack them into an archive.',
        needed,
        left
      );
    case 'quota':
      return trans.__(
        'They need %1, and your quota leaves %2. Remove what you no longer need, then try again.',
        formatBytes(needed),
        formatBytes(left)
      );
    case 'disk':
      return trans.__(
        'They need %1, and %2 are free. Remove what you no longer need, then try again.',
        formatBytes(needed),
        formatBytes(left)
      );
  }
}

/** A question in its place: it takes the focus and gives it back, and stops nothing else. */
function Ask({
  title,
  testId,
  actions,
  onEscape,
  children
}: React.PropsWithChildren<{
  title: string;
  testId: string;
  actions: React.ReactNode;
  onEscape: () => void;
}>): React.JSX.Element {
  const id = React.useId();
  const buttons = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    const before = document.activeElement;
    buttons.current?.querySelector('button')?.focus();
    return () => {
      // Unless the user has taken it elsewhere meanwhile.
      if (document.activeElement === document.body) {
        (before as HTMLElement | null)?.focus();
      }
    };
  }, []);
  return (
    <div
      role="dialog"
      aria-labelledby={id}
      className="jp-slurmdash-Note jp-mod-warning jp-slurmdash-Ask"
      data-testid={testId}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onEscape();
        }
      }}
    >
      <infoIcon.react
        tag="span"
        className="jp-slurmdash-Icon"
        aria-hidden="true"
      />
      <div className="jp-slurmdash-Note-text">
        <strong id={id}>{title}</strong>
        {children}
        <div ref={buttons} className="jp-slurmdash-Ask-buttons">
          {actions}
        </div>
      </div>
    </div>
  );
}
