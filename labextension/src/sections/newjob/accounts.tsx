import * as React from 'react';

import { Combobox } from '../../components/Combobox';
import { useTrans } from '../../components/trans';
import type { IChoice } from '../../types';
import { optionText, templateOption } from './draft';
import { optionLabel } from './fieldwords';
import { Lockable } from './locks';
import type { NewJobModel } from './model';

/** The accounts and QOS that Slurm offers the user there; any text where it does not say. */
export function AccountFields({
  model
}: {
  model: NewJobModel;
}): React.JSX.Element {
  const trans = useTrans();
  const { limits } = model.limits;
  return (
    <>
      <NameField
        model={model}
        name="account"
        names={limits?.accounts ?? []}
        standard={limits?.default_account ?? ''}
      />
      <NameField
        model={model}
        name="qos"
        names={limits?.qos ?? []}
        standard={limits?.default_qos || onlyOne(limits?.qos)}
        hint={
          limits?.accounts.length && !limits.qos.length
            ? trans.__('none for this account')
            : undefined
        }
      />
    </>
  );
}

function NameField({
  model,
  name,
  names,
  standard,
  hint
}: {
  model: NewJobModel;
  name: 'account' | 'qos';
  names: ReadonlyArray<string>;
  /** Slurm takes this one when none is named. */
  standard: string;
  hint?: string;
}): React.JSX.Element {
  const trans = useTrans();
  const pointer = `/options/${name}`;
  const choices = React.useMemo(
    () => names.map((id): IChoice => ({ id, label: id })),
    [names]
  );
  const field = (hint: React.ReactNode) => (
    <Combobox
      label={optionLabel(trans, name)}
      choices={choices}
      value={optionText(model.draft, model.template, name) || null}
      free
      clearable
      placeholder={
        templateOption(model.template, name) ||
        (standard ? trans.__('%1 (your default)', standard) : undefined)
      }
      testId={`slurmdash-option-${name}`}
      optionTestId={`slurmdash-${name}`}
      pointer={pointer}
      error={model.messages('error').get(pointer)}
      warning={model.messages('warning').get(pointer)}
      hint={hint}
      onChange={id => model.setOption(name, id ?? '')}
    />
  );
  return (
    <Lockable model={model} name={name} hint={hint}>
      {field}
    </Lockable>
  );
}

/** Without a default, the only one there is is meant. */
function onlyOne(names: ReadonlyArray<string> = []): string {
  return names.length === 1 ? names[0] : '';
}
