import * as React from 'react';

import { Button } from '../../components/Buttons';
import { useTrans } from '../../components/trans';
import { compare, merged, usual, type Choice, type IHunk } from './merge';
import type { TemplateEditorModel } from './model';

/** Lines of what nobody changed that are shown around a change. */
const AROUND = 3;

/** Mine, theirs and where both came from, piece by piece; nothing is left out without being asked. */
export function MergeView({
  model
}: {
  model: TemplateEditorModel;
}): React.JSX.Element {
  const trans = useTrans();
  const { base, text, theirs } = model;
  const hunks = React.useMemo(
    () => compare(base?.text ?? '', text, theirs?.text ?? ''),
    [base, text, theirs]
  );
  const [choices, setChoices] = React.useState<Array<Choice | null>>([]);
  const choiceOf = (at: number) => choices[at] ?? usual(hunks[at]);
  const open = hunks.filter((_, at) => choiceOf(at) === null).length;
  const choose = (at: number, choice: Choice) => {
    const next = hunks.map((_, each) => choices[each] ?? null);
    next[at] = choice;
    setChoices(next);
  };
  const heading = React.useRef<HTMLHeadingElement>(null);
  React.useEffect(() => heading.current?.focus(), []);
  return (
    <section
      className="jp-slurmdash-Merge"
      aria-label={trans.__('Merge')}
      data-testid="slurmdash-merge"
    >
      <h3 ref={heading} tabIndex={-1}>
        {trans.__('Someone saved this template while you were changing it')}
      </h3>
      <p className="jp-slurmdash-Quiet">
        {trans.__(
          'What only one of you changed is taken. Choose where both changed the same lines; then look at it and save.'
        )}
      </p>
      {hunks.map((hunk, at) =>
        hunk.kind === 'same' ? (
          <Same
            key={at}
            lines={hunk.base}
            first={at === 0}
            last={at === hunks.length - 1}
          />
        ) : (
          <Piece
            key={at}
            at={at}
            hunk={hunk}
            choice={choiceOf(at)}
            onChoose={choice => choose(at, choice)}
          />
        )
      )}
      <div className="jp-slurmdash-Merge-foot">
        <span role="status">
          {open
            ? trans._n('%1 place to choose', '%1 places to choose', open)
            : trans.__('Everything is chosen.')}
        </span>
        <Button onClick={() => model.setMerging(false)}>
          {trans.__('Later')}
        </Button>
        <Button
          accent
          aria-disabled={open > 0}
          data-testid="slurmdash-merge-apply"
          onClick={() => {
            if (!open) {
              model.resolve(merged(hunks, choices));
            }
          }}
        >
          {trans.__('Take the merged text')}
        </Button>
      </div>
    </section>
  );
}

function Same({
  lines,
  first,
  last
}: {
  lines: readonly string[];
  first: boolean;
  last: boolean;
}): React.JSX.Element {
  const trans = useTrans();
  const head = first ? [] : lines.slice(0, AROUND);
  const tail = last
    ? []
    : lines.slice(Math.max(head.length, lines.length - AROUND));
  const hidden = lines.length - head.length - tail.length;
  return (
    <pre className="jp-slurmdash-Merge-same">
      {head.join('\n')}
      {hidden > 0 && (
        <span className="jp-slurmdash-Merge-gap">
          {trans._n('%1 line is the same', '%1 lines are the same', hidden)}
        </span>
      )}
      {tail.join('\n')}
    </pre>
  );
}

function Piece({
  at,
  hunk,
  choice,
  onChoose
}: {
  at: number;
  hunk: IHunk;
  choice: Choice | null;
  onChoose: (choice: Choice) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const name = React.useId();
  const sides: Array<[Choice, string]> = [
    ['mine', trans.__('Keep mine')],
    ['theirs', trans.__('Take theirs')],
    ['both', trans.__('Both')]
  ];
  const said = {
    same: '',
    mine: trans.__('You changed this'),
    theirs: trans.__('They changed this'),
    both: trans.__('You both changed this')
  }[hunk.kind];
  const isBase = (lines: readonly string[]) =>
    lines.join('\n') === hunk.base.join('\n');
  return (
    <fieldset
      className={`jp-slurmdash-Piece ${choice === null ? 'jp-mod-open' : ''}`}
      data-testid={`slurmdash-merge-${at}`}
    >
      <legend>{said}</legend>
      <div className="jp-slurmdash-Piece-sides">
        <Side
          title={trans.__('Mine')}
          mark={isBase(hunk.mine) ? ' ' : '+'}
          lines={hunk.mine}
          taken={choice === 'mine' || choice === 'both'}
        />
        <Side
          title={trans.__('Before')}
          mark="−"
          lines={hunk.base}
          taken={false}
        />
        <Side
          title={trans.__('Theirs')}
          mark={isBase(hunk.theirs) ? ' ' : '+'}
          lines={hunk.theirs}
          taken={choice === 'theirs' || choice === 'both'}
        />
      </div>
      <div className="jp-slurmdash-Piece-acts">
        {sides.map(([value, label]) => (
          <label key={value}>
            <input
              type="radio"
              name={name}
              checked={choice === value}
              data-testid={`slurmdash-merge-${at}-${value}`}
              onChange={() => onChoose(value)}
            />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Side({
  title,
  mark,
  lines,
  taken
}: {
  title: string;
  mark: string;
  lines: readonly string[];
  taken: boolean;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className={`jp-slurmdash-Side ${taken ? 'jp-mod-taken' : ''}`}>
      <h4>
        {taken ? '✓ ' : ''}
        {title}
      </h4>
      {lines.length ? (
        <pre>{lines.map(line => `${mark} ${line}\n`).join('')}</pre>
      ) : (
        <p className="jp-slurmdash-Quiet">{trans.__('nothing')}</p>
      )}
    </div>
  );
}
