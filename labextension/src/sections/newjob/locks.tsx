import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Lock } from '../../api/types';
import { TextField } from '../../components/Field';
import { fixedValue, isHidden, reasonOf } from '../../components/schemafields';
import { useTrans } from '../../components/trans';
import { optionLabel } from './fieldwords';
import type { NewJobModel } from './model';

/** An option of sbatch as it may be set: not shown, shown with the reason, or the field with its bounds. */
export function Lockable({
  model,
  name,
  hint,
  children
}: {
  model: NewJobModel;
  name: string;
  hint?: React.ReactNode;
  children: (hint: React.ReactNode) => React.ReactNode;
}): React.ReactNode {
  const trans = useTrans();
  const locks = model.locks.slurm[name] ?? [];
  const pointer = `/options/${name}`;
  const fixed = fixedValue(locks);
  if (isHidden(locks)) {
    return null;
  }
  if (fixed !== undefined) {
    return (
      <TextField
        label={optionLabel(trans, name)}
        value={String(fixed)}
        readOnly
        hint={[trans.__('fixed here'), reasonOf(locks)]
          .filter(Boolean)
          .join(' · ')}
        testId={`slurmdash-option-${name}`}
        pointer={pointer}
        error={model.messages('error').get(pointer)}
        onChange={() => undefined}
      />
    );
  }
  const words = boundWords(trans, locks);
  return children(
    words ? (
      <>
        {hint ? <div>{hint}</div> : null}
        <div>{words}</div>
      </>
    ) : (
      hint
    )
  );
}

/** The bounds that are decided, and why. */
export function boundWords(
  trans: TranslationBundle,
  locks: readonly Lock[]
): string {
  return locks
    .map(({ minimum, maximum, enum: choices, reason }) =>
      [
        choices ? trans.__('one of %1', choices.join(', ')) : '',
        minimum !== undefined ? trans.__('at least %1', minimum) : '',
        maximum !== undefined ? trans.__('at most %1', maximum) : '',
        reason
      ]
        .filter(Boolean)
        .join(' · ')
    )
    .filter(Boolean)
    .join(' · ');
}
