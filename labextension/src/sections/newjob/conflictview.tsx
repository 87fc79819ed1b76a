import * as React from 'react';

import { Button } from '../../components/Buttons';
import { Note } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import type { IConflict } from './edit';
import { QUESTIONS } from './findings';
import type { NewJobModel } from './model';

/** Where the form wants one thing and the hand-written lines say another: the user decides. */
export function Conflicts({ model }: { model: NewJobModel }): React.ReactNode {
  const conflicts = model.draft.edit?.conflicts ?? [];
  return conflicts.map((conflict, index) => (
    <Conflict
      key={`${conflict.line} ${conflict.other.join('\n')}`}
      conflict={conflict}
      testId={`slurmdash-conflict-${index}`}
      onAnswer={take => model.editor.answer(conflict, take)}
    />
  ));
}

function Conflict({
  conflict,
  testId,
  onAnswer
}: {
  conflict: IConflict;
  testId: string;
  onAnswer: (take: 'mine' | 'form') => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { line, kept, other } = conflict;
  const nothing = trans.__('(no line)');
  return (
    <Note kind="warning">
      <div
        className="jp-slurmdash-Conflict"
        data-testid={testId}
        data-pointer={QUESTIONS}
        tabIndex={-1}
      >
        <span>
          {trans.__(
            'Line %1 is yours; since you wrote it, the form wants something else there. Yours stays until you choose.',
            line
          )}
        </span>
        <dl>
          <dt>{trans.__('Yours')}</dt>
          <dd>
            <code>{kept.join('\n') || nothing}</code>
          </dd>
          <dt>{trans.__('The form’s')}</dt>
          <dd>
            <code>{other.join('\n') || nothing}</code>
          </dd>
        </dl>
        <div className="jp-slurmdash-ScriptTools">
          <Button small onClick={() => onAnswer('mine')}>
            {trans.__('Keep mine')}
          </Button>
          <Button small onClick={() => onAnswer('form')}>
            {trans.__('Take the form’s')}
          </Button>
        </div>
      </div>
    </Note>
  );
}
