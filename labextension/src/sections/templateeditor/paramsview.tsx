import { addIcon, deleteIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Button, IconButton } from '../../components/Buttons';
import { Field, TextField } from '../../components/Field';
import { Part } from '../../components/Part';
import { useTrans } from '../../components/trans';
import {
  freeName,
  isMap,
  renamed,
  shown,
  typed,
  valueAt,
  withValue,
  type Doc
} from './document';
import { Choice, FormContext, Line, split } from './fields';

const PLACE = ['parameters', 'properties'] as const;

/** The values that a user fills in: their names, types, limits and help. */
export function ParametersPart(): React.JSX.Element {
  const trans = useTrans();
  const { doc, edit } = React.useContext(FormContext);
  const found = valueAt(doc, PLACE);
  const properties: Doc = isMap(found) ? found : {};
  const listed = valueAt(doc, ['parameters', 'required']);
  const required = Array.isArray(listed) ? listed.map(String) : [];
  const put = (next: Doc, needed: readonly string[]) => {
    const kept = needed.filter(name => name in next);
    if (!Object.keys(next).length) {
      edit(withValue(doc, ['parameters'], undefined));
      return;
    }
    const typedDoc = withValue(doc, ['parameters', 'type'], 'object');
    edit(
      withValue(
        withValue(typedDoc, PLACE, next),
        ['parameters', 'required'],
        kept.length ? kept : undefined
      )
    );
  };
  return (
    <Part
      title={trans.__('Parameters')}
      side={
        <Button
          small
          data-testid="slurmdash-parameter-add"
          onClick={() =>
            put(
              {
                ...properties,
                [freeName('value', Object.keys(properties))]: { type: 'string' }
              },
              required
            )
          }
        >
          <addIcon.react tag="span" className="jp-slurmdash-Icon" />
          {trans.__('Add a parameter')}
        </Button>
      }
    >
      {Object.keys(properties).length === 0 && (
        <p className="jp-slurmdash-Quiet">
          {trans.__('There is nothing to fill in.')}
        </p>
      )}
      {Object.entries(properties).map(([name, schema], at) => (
        <Parameter
          // Its name changes while it is typed.
          key={at}
          name={name}
          schema={isMap(schema) ? schema : {}}
          taken={Object.keys(properties)}
          required={required.includes(name)}
          onChange={next => put({ ...properties, [name]: next }, required)}
          onRename={to =>
            put(
              renamed(properties, name, to),
              required.map(each => (each === name ? to : each))
            )
          }
          onRequire={on =>
            put(
              properties,
              on ? [...required, name] : required.filter(each => each !== name)
            )
          }
          onRemove={() => {
            put(withValue(properties, [name], undefined), required);
          }}
        />
      ))}
    </Part>
  );
}

function Parameter({
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
function Options({
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
