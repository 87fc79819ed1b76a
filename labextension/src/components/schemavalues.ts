/** A value as it stands in the form: text as typed, so that `1e-` is not lost on the way to `1e-3`. */
export type RawValue = string | boolean;

/** A value as it is sent. */
export type Value = string | number | boolean;

/** The part of JSON Schema that a template's parameters use. */
export interface IParameterSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  /** Names of fields whose values are bounds. */
  'x-minimum'?: string;
  'x-maximum'?: string;
  $ref?: string;
}

/** The one type that a property has; `null` beside it only means that it may be left out. */
export function typeOf(schema: IParameterSchema): string {
  const types = Array.isArray(schema.type)
    ? schema.type
    : [schema.type ?? 'string'];
  return types.find(type => type !== 'null') ?? 'string';
}

/** The typed text as the value that the schema asks for; text that is no such value stays text. */
export function parseValue(
  schema: IParameterSchema,
  raw: RawValue
): Value | null {
  if (schema.enum) {
    const found = schema.enum.find(item => String(item) === String(raw));
    return (found ?? raw) as Value;
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
