import { deleteIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { IconButton } from '../../components/Buttons';
import { SelectField } from '../../components/Field';
import { Part } from '../../components/Part';
import { useTrans } from '../../components/trans';
import { isMap, shown, valueAt, withValue, type Doc } from './document';
import { FormContext, Line, Tick } from './fields';
import { Options, PLACE } from './parametercard';

const NUMBERS = ['nodes', 'ntasks', 'ntasks_per_node', 'cpus_per_task', 'nice'];
const AMOUNTS = [...NUMBERS, 'time', 'mem', 'mem_per_cpu'];
/** Only the most of these can be told, as a number. */
const COUNTED = ['gres', 'array'];
const SWITCHES = ['exclusive', 'requeue'];
const WORDS = [
  ...['partition', 'account', 'qos', 'reservation', 'constraint'],
  ...['dependency', 'begin', 'nodelist', 'exclude', 'mail_type', 'mail_user'],
  ...['output', 'error']
];
const OPTIONS = [...WORDS.slice(0, 3), ...AMOUNTS, ...COUNTED, ...SWITCHES];

/** What is decided for whoever uses the template: values that are fixed, bounded or hidden, and why. */
export function LocksPart(): React.JSX.Element {
  const trans = useTrans();
  const { doc, edit } = React.useContext(FormContext);
  const parameters = valueAt(doc, PLACE);
  const free = [
    ...[...OPTIONS, ...WORDS.slice(3)].map(name => ['slurm', name]),
    ...Object.keys(isMap(parameters) ? parameters : {}).map(name => [
      'parameters',
      name
    ])
  ].filter(path => valueAt(doc, ['locks', ...path]) === undefined);
  const locked = ['slurm', 'parameters'].flatMap(part => {
    const fields = valueAt(doc, ['locks', part]);
    return Object.keys(isMap(fields) ? fields : {}).map(name => [part, name]);
  });
  return (
    <Part title={trans.__('Decided for whoever uses it')}>
      {locked.map(([part, name]) => (
        <LockCard
          key={`${part}.${name}`}
          part={part}
          name={name}
          kind={kindOf(part, name, valueAt(doc, [...PLACE, name]))}
        />
      ))}
      <SelectField
        label={trans.__('Decide about a field')}
        value=""
        testId="slurmdash-lock-add"
        options={[
          { value: '', label: trans.__('Choose a field') },
          ...free.map(([part, name]) => ({
            value: `${part}.${name}`,
            label: part === 'slurm' ? name : trans.__('parameter %1', name)
          }))
        ]}
        onChange={chosen => {
          const [part, name] = chosen.split('.');
          if (name) {
            edit(withValue(doc, ['locks', part, name], { hidden: true }));
          }
        }}
      />
    </Part>
  );
}

type Kind = 'text' | 'number' | 'amount' | 'counted' | 'switch';

function kindOf(part: string, name: string, schema: unknown): Kind {
  if (part === 'parameters') {
    const type = isMap(schema) ? shown(schema.type) : '';
    return type === 'boolean'
      ? 'switch'
      : type === 'integer' || type === 'number'
        ? 'number'
        : 'text';
  }
  return NUMBERS.includes(name)
    ? 'number'
    : AMOUNTS.includes(name)
      ? 'amount'
      : COUNTED.includes(name)
        ? 'counted'
        : SWITCHES.includes(name)
          ? 'switch'
          : 'text';
}

function LockCard({
  part,
  name,
  kind
}: {
  part: string;
  name: string;
  kind: Kind;
}): React.JSX.Element {
  const trans = useTrans();
  const { doc, edit, errors } = React.useContext(FormContext);
  const path = ['locks', part, name];
  const lock = valueAt(doc, path);
  const bounded = kind === 'number' || kind === 'amount';
  const wrong = errors.get(`/${path.join('/')}`);
  const input = kind === 'number' ? 'number' : 'text';
  return (
    <div
      className="jp-slurmdash-SlotCard"
      role="group"
      aria-label={name}
      data-testid={`slurmdash-lock-${part}-${name}`}
    >
      <div className="jp-slurmdash-SlotCard-head">
        <b className="jp-slurmdash-SlotCard-name">{name}</b>
        <IconButton
          icon={deleteIcon}
          label={trans.__('Leave %1 to the user', name)}
          onClick={() => edit(without(doc, path))}
        />
      </div>
      {wrong ? (
        <div className="jp-slurmdash-Field-message jp-mod-error">{wrong}</div>
      ) : null}
      <div className="jp-slurmdash-Grid">
        {kind === 'switch' ? (
          <Switch path={[...path, 'fixed']} />
        ) : (
          <Line
            path={[...path, 'fixed']}
            label={trans.__('Fixed at')}
            kind={input}
          />
        )}
        {bounded && (
          <Line
            path={[...path, 'minimum']}
            label={trans.__('At least')}
            kind={input}
          />
        )}
        {(bounded || kind === 'counted') && (
          <Line
            path={[...path, 'maximum']}
            label={trans.__('At most')}
            kind={kind === 'amount' ? 'text' : 'number'}
          />
        )}
        {kind !== 'switch' && (
          <Options
            schema={isMap(lock) ? lock : {}}
            number={kind === 'number'}
            onChange={next => edit(withValue(doc, path, next))}
          />
        )}
        <Tick path={[...path, 'hidden']} label={trans.__('Not shown')} />
      </div>
      <Line path={[...path, 'reason']} label={trans.__('Why, for the user')} />
    </div>
  );
}

/** On, off, or not decided. */
function Switch({ path }: { path: string[] }): React.JSX.Element {
  const trans = useTrans();
  const { doc, edit, errors } = React.useContext(FormContext);
  const value = valueAt(doc, path);
  return (
    <SelectField
      label={trans.__('Fixed at')}
      value={typeof value === 'boolean' ? String(value) : ''}
      error={errors.get(`/${path.join('/')}`)}
      testId={`slurmdash-field-${path.join('-')}`}
      options={[
        { value: '', label: trans.__('not set') },
        { value: 'true', label: trans.__('on') },
        { value: 'false', label: trans.__('off') }
      ]}
      onChange={text =>
        edit(withValue(doc, path, text === '' ? undefined : text === 'true'))
      }
    />
  );
}

/** The document without this, and without what then holds nothing. */
function without(doc: Doc, path: string[]): Doc {
  const next = withValue(doc, path, undefined);
  const above = path.slice(0, -1);
  const left = above.length ? valueAt(next, above) : undefined;
  return isMap(left) && !Object.keys(left).length ? without(next, above) : next;
}
