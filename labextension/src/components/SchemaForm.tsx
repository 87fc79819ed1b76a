import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Field, SelectField, TextField, type IFieldFrame } from './Field';
import {
  fixedValue,
  isHidden,
  reasonOf,
  resolveTyped,
  withLimits,
  type ILock,
  type IObjectSchema,
  type LocksByField
} from './schemafields';
import {
  parseValue,
  typeOf,
  type IParameterSchema,
  type RawValue
} from './schemavalues';
import { useTrans } from './trans';

export { parseValue, typeOf } from './schemavalues';
export type { IObjectSchema } from './schemafields';
export type { IParameterSchema, RawValue } from './schemavalues';

/** A form for the properties of a JSON Schema: those that are there with the values so far. */
export function SchemaForm({
  schema,
  values,
  locks = {},
  errors,
  pointer,
  testId,
  onChange
}: {
  schema: IObjectSchema;
  /** As typed; what was typed into a field that is not there is kept, and comes back with it. */
  values: Readonly<Record<string, RawValue>>;
  /** What is decided about fields. */
  locks?: LocksByField;
  /** JSON Pointer → what is wrong there. */
  errors: ReadonlyMap<string, string>;
  /** Where these values are in the submission. */
  pointer: string;
  /** Beginning of each control's `data-testid`. */
  testId: string;
  onChange: (name: string, value: RawValue) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const form = resolveTyped(schema, values, locks);
  const shown = [...form.fields].filter(([name]) => !isHidden(locks[name]));
  return (
    <>
      <div className="jp-slurmdash-Grid">
        {shown.map(([name, field]) => {
          const property = withLimits(field, form.values);
          const at = `${pointer}/${name}`;
          const fixed = fixedValue(locks[name]);
          const raw = values[name];
          const mistake =
            raw === undefined || fixed !== undefined
              ? ''
              : mistakeIn(trans, property, raw);
          return (
            <Property
              key={name}
              schema={property}
              value={
                fixed !== undefined
                  ? rawOf(fixed)
                  : (raw ?? rawDefault(property))
              }
              readOnly={fixed !== undefined}
              placeholder={String(rawDefault(property))}
              testId={`${testId}-${name}`}
              frame={{
                label: labelOf(name, property),
                hint: hintOf(trans, property, locks[name]),
                error: mistake || errors.get(at),
                pointer: at,
                required: form.required.has(name)
              }}
              onChange={value => onChange(name, value)}
            />
          );
        })}
      </div>
      <Announced
        testId={`${testId}-announced`}
        labels={shown.map(([name, field]) => labelOf(name, field))}
      />
    </>
  );
}

function labelOf(name: string, field: IParameterSchema): string {
  return field.title ?? name.replaceAll('_', ' ');
}

/** Says to who does not see it which fields came and went. */
function Announced({
  labels,
  testId
}: {
  labels: readonly string[];
  testId: string;
}): React.JSX.Element {
  const trans = useTrans();
  const before = React.useRef(labels);
  const words = React.useRef('');
  const came = labels.filter(label => !before.current.includes(label));
  const went = before.current.filter(label => !labels.includes(label));
  if (came.length || went.length) {
    words.current = [
      came.length ? trans.__('New below: %1.', came.join(', ')) : '',
      went.length ? trans.__('No longer asked for: %1.', went.join(', ')) : ''
    ]
      .filter(Boolean)
      .join(' ');
  }
  React.useEffect(() => {
    before.current = labels;
  });
  return (
    <div
      className="jp-slurmdash-Hidden"
      role="status"
      aria-live="polite"
      data-testid={testId}
    >
      {words.current}
    </div>
  );
}

function Property({
  schema,
  value,
  readOnly,
  placeholder,
  testId,
  frame,
  onChange
}: {
  schema: IParameterSchema;
  value: RawValue;
  /** Fixed: shown, but not to be changed. */
  readOnly: boolean;
  placeholder: string;
  testId: string;
  frame: IFieldFrame;
  onChange: (value: RawValue) => void;
}): React.JSX.Element {
  if (schema.enum && !readOnly) {
    const options = schema.enum.map(String);
    const listed = options.includes(String(value));
    return (
      <SelectField
        {...frame}
        testId={testId}
        value={String(value)}
        options={(listed ? options : [String(value), ...options]).map(
          option => ({ value: option, label: option || '—' })
        )}
        onChange={onChange}
      />
    );
  }
  if (typeOf(schema) === 'boolean') {
    return (
      <Field {...frame} className="jp-mod-inline">
        {control => (
          <input
            {...control}
            type="checkbox"
            data-testid={testId}
            checked={value === true || value === 'true'}
            disabled={readOnly}
            onChange={event => onChange(event.target.checked)}
          />
        )}
      </Field>
    );
  }
  const kind = typeOf(schema);
  return (
    <TextField
      {...frame}
      testId={testId}
      value={String(value)}
      readOnly={readOnly}
      placeholder={placeholder}
      inputMode={
        kind === 'integer' ? 'numeric' : kind === 'number' ? 'decimal' : 'text'
      }
      onChange={onChange}
    />
  );
}

function rawDefault(schema: IParameterSchema): RawValue {
  return rawOf(schema.default);
}

function rawOf(value: unknown): RawValue {
  if (typeof value === 'boolean') {
    return value;
  }
  return value === undefined || value === null ? '' : String(value);
}

/** What is wrong with a typed value, without asking the server; empty when nothing is. */
export function mistakeIn(
  trans: TranslationBundle,
  schema: IParameterSchema,
  raw: RawValue
): string {
  const type = typeOf(schema);
  if (schema.enum) {
    // The list shows what was chosen before, though it is no choice any more.
    return raw === '' || schema.enum.some(each => String(each) === String(raw))
      ? ''
      : trans.__('Not one of the choices any more.');
  }
  if (type !== 'integer' && type !== 'number') {
    return '';
  }
  const value = parseValue(schema, raw);
  if (value === null) {
    return '';
  }
  if (typeof value !== 'number') {
    return trans.__('Not a number.');
  }
  if (type === 'integer' && !Number.isInteger(value)) {
    return trans.__('A whole number, please.');
  }
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined && value < minimum) {
    return trans.__('At least %1.', minimum);
  }
  if (maximum !== undefined && value > maximum) {
    return trans.__('At most %1.', maximum);
  }
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) {
    return trans.__('More than %1.', exclusiveMinimum);
  }
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) {
    return trans.__('Less than %1.', exclusiveMaximum);
  }
  return '';
}

function hintOf(
  trans: TranslationBundle,
  schema: IParameterSchema,
  locks: readonly ILock[] = []
): string {
  const { minimum, maximum } = schema;
  const limits =
    fixedValue(locks) !== undefined
      ? trans.__('fixed here')
      : minimum !== undefined && maximum !== undefined
        ? trans.__('%1 to %2', minimum, maximum)
        : minimum !== undefined
          ? trans.__('%1 or more', minimum)
          : maximum !== undefined
            ? trans.__('at most %1', maximum)
            : '';
  return [schema.description ?? '', limits, reasonOf(locks)]
    .filter(Boolean)
    .join(' · ');
}
