import { deleteIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { IconButton } from '../../components/Buttons';
import { Field, TextField } from '../../components/Field';
import { useTrans } from '../../components/trans';
import { shown, typed, withValue, type Doc } from './document';
import { Choice, FormContext, Line, split } from './fields';

/** Where the parameters are in the document. */
export const PLACE = ['parameters', 'properties'] as const;

/** One value that a user fills in. */
export function Parameter({
  name,
  schema,
  taken,
  required,
  onChange,
  onRename,
  onRequire,
  onRemove
}: {
  name: string;
  schema: Doc;
  taken: readonly string[];
  required: boolean;
  onChange: (schema: Doc) => void;
  onRename: (to: string) => void;
  onRequire: (on: boolean) => void;
  onRemove: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const form = React.useContext(FormContext);
  const place = `/${PLACE.join('/')}/${name}`;
  const own = {
    doc: schema,
    edit: onChange,
    errors: new Map(
      [...form.errors]
        .filter(([pointer]) => pointer.startsWith(`${place}/`))
        .map(([pointer, message]) => [pointer.slice(place.length), message])
    )
  };
  const kind = shown(schema.type);
  const isNumber = kind === 'number' || kind === 'integer';
  // A name that another has would swallow it: it waits until it is free.
  const [draft, setDraft] = React.useState<string | null>(null);
  return (
    <FormContext.Provider value={own}>
      <div
        className="jp-slurmdash-SlotCard"
        role="group"
        aria-label={name}
        data-testid={`slurmdash-parametercard-${name}`}
      >
        <div className="jp-slurmdash-SlotCard-head">
          <b className="jp-slurmdash-SlotCard-name">{name}</b>
          <label className="jp-slurmdash-Check">
            <input
              type="checkbox"
              checked={required}
              onChange={event => onRequire(event.target.checked)}
            />
            {trans.__('required')}
          </label>
          <IconButton
            icon={deleteIcon}
            label={trans.__('Remove %1', name)}
            onClick={() => onRemove()}
          />
        </div>
        <div className="jp-slurmdash-Grid">
          <TextField
            label={trans.__('Name')}
            value={draft ?? name}
            error={
              draft !== null
                ? trans.__('Another has this name.')
                : form.errors.get(place)
            }
            testId={`slurmdash-parameter-name-${name}`}
            onChange={text => {
              const free =
                text !== '' && (text === name || !taken.includes(text));
              setDraft(free ? null : text);
              if (free && text !== name) {
                onRename(text);
              }
            }}
          />
          <Choice
            path={['type']}
            label={trans.__('Type')}
            options={['string', 'integer', 'number', 'boolean']}
          />
          <Line path={['title']} label={trans.__('Label')} />
          {kind === 'boolean' ? (
            <Field label={trans.__('Default')} className="jp-mod-inline">
              {control => (
                <input
                  {...control}
                  type="checkbox"
                  checked={schema.default === true}
                  onChange={event =>
                    onChange({ ...schema, default: event.target.checked })
                  }
                />
              )}
            </Field>
          ) : (
            <Line
              path={['default']}
              label={trans.__('Default')}
              kind={isNumber ? 'number' : 'text'}
            />
          )}
          {isNumber && (
            <>
              <Line
                path={['minimum']}
                label={trans.__('At least')}
                kind="number"
              />
              <Line
                path={['maximum']}
                label={trans.__('At most')}
                kind="number"
              />
            </>
          )}
          {kind !== 'boolean' && (
            <Options schema={schema} number={isNumber} onChange={onChange} />
          )}
        </div>
        <Line path={['description']} label={trans.__('Help')} />
      </div>
    </FormContext.Provider>
  );
}

/** The values to choose from, with commas between. */
export function Options({
  schema,
  number,
  onChange
}: {
  schema: Doc;
  number: boolean;
  onChange: (schema: Doc) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const list = Array.isArray(schema.enum) ? schema.enum : [];
  const joined = list.map(shown).join(', ');
  const [raw, setRaw] = React.useState(joined);
  const read = (text: string) =>
    split(text, ',').map(word => typed(word, number ? 'number' : 'text'));
  const text =
    JSON.stringify(read(raw)) === JSON.stringify(list) ? raw : joined;
  return (
    <TextField
      label={trans.__('Choices')}
      hint={trans.__('with commas between')}
      value={text}
      onChange={next => {
        setRaw(next);
        const values = read(next);
        onChange(
          withValue(schema, ['enum'], values.length ? values : undefined)
        );
      }}
    />
  );
}
