import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Field, SelectField, TextField, type IFieldFrame } from './Field';
import { useTrans } from './trans';

/** A value as it stands in the form: text as typed, so that `1e-` is not lost on the way to `1e-3`. */
export type RawValue = string | boolean;

/** The part of JSON Schema that a template's parameters use. */
export interface IParameterSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  maxLength?: number;
}

export interface IObjectSchema {
  properties?: Record<string, IParameterSchema>;
  required?: string[];
}

/** A form for the properties of a JSON Schema. */
export function SchemaForm({
  schema,
  values,
  errors,
  pointer,
  testId,
  onChange
}: {
  schema: IObjectSchema;
  values: Readonly<Record<string, RawValue>>;
  /** JSON Pointer → what is wrong there. */
  errors: ReadonlyMap<string, string>;
  /** Where these values are in the submission. */
  pointer: string;
  /** Beginning of each control's `data-testid`. */
  testId: string;
  onChange: (name: string, value: RawValue) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const required = new Set(schema.required ?? []);
  return (
    <div className="jp-slurmdash-Grid">
      {Object.entries(schema.properties ?? {}).map(([name, property]) => {
        const at = `${pointer}/${name}`;
        const raw = values[name];
        const mistake =
          raw === undefined ? '' : mistakeIn(trans, property, raw);
        return (
          <Property
            key={name}
            schema={property}
            value={raw ?? rawDefault(property)}
            placeholder={String(rawDefault(property))}
            testId={`${testId}-${name}`}
            frame={{
              label: property.title ?? name.replaceAll('_', ' '),
              hint: hintOf(trans, property),
              error: mistake || errors.get(at),
              pointer: at,
              required: required.has(name)
            }}
            onChange={value => onChange(name, value)}
          />
        );
      })}
    </div>
  );
}

function Property({
  schema,
  value,
  placeholder,
  testId,
  frame,
  onChange
}: {
  schema: IParameterSchema;
  value: RawValue;
  placeholder: string;
  testId: string;
  frame: IFieldFrame;
  onChange: (value: RawValue) => void;
}): React.JSX.Element {
  if (schema.enum) {
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
      placeholder={placeholder}
      inputMode={
        kind === 'integer' ? 'numeric' : kind === 'number' ? 'decimal' : 'text'
      }
      onChange={onChange}
    />
  );
}

/** The one type that a property has; `null` beside it only means that it may be left out. */
export function typeOf(schema: IParameterSchema): string {
  const types = Array.isArray(schema.type)
    ? schema.type
    : [schema.type ?? 'string'];
  return types.find(type => type !== 'null') ?? 'string';
}

function rawDefault(schema: IParameterSchema): RawValue {
  const value = schema.default;
  if (typeof value === 'boolean') {
    return value;
  }
  return value === undefined || value === null ? '' : String(value);
}

/** The typed text as the value that the schema asks for; text that is no such value stays text. */
export function parseValue(
  schema: IParameterSchema,
  raw: RawValue
): string | number | boolean | null {
  if (schema.enum) {
    const found = schema.enum.find(item => String(item) === String(raw));
    return (found ?? raw) as string | number | boolean;
  }
  const type = typeOf(schema);
  if (type === 'boolean') {
    return raw === true || raw === 'true';
  }
  if (typeof raw === 'boolean' || raw.trim() === '') {
    return typeof raw === 'boolean' ? raw : null;
  }
  if (type === 'integer' || type === 'number') {
    const value = Number(raw);
    return Number.isFinite(value) ? value : raw;
  }
  return raw;
}

/** What is wrong with a typed value, without asking the server; empty when nothing is. */
export function mistakeIn(
  trans: TranslationBundle,
  schema: IParameterSchema,
  raw: RawValue
): string {
  const type = typeOf(schema);
  if (schema.enum || (type !== 'integer' && type !== 'number')) {
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

function hintOf(trans: TranslationBundle, schema: IParameterSchema): string {
  const { minimum, maximum } = schema;
  const limits =
    minimum !== undefined && maximum !== undefined
      ? trans.__('%1 to %2', minimum, maximum)
      : minimum !== undefined
        ? trans.__('%1 or more', minimum)
        : maximum !== undefined
          ? trans.__('at most %1', maximum)
          : '';
  return [schema.description ?? '', limits].filter(Boolean).join(' · ');
}
