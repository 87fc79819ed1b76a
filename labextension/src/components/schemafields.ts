import { holds, type Values } from './schemaconditions';
import { followed } from './schemarefs';
import {
  parseValue,
  type IParameterSchema,
  type RawValue,
  type Value
} from './schemavalues';

/** A schema of type object, as far as a form follows it. */
export interface IObjectSchema {
  properties?: Record<string, IParameterSchema | boolean>;
  required?: string[];
  dependentRequired?: Record<string, string[]>;
  dependentSchemas?: Record<string, IObjectSchema | boolean>;
  allOf?: Array<IObjectSchema | boolean>;
  if?: unknown;
  then?: IObjectSchema | boolean;
  else?: IObjectSchema | boolean;
  $ref?: string;
  $defs?: Record<string, unknown>;
}

/** What is decided about a field: its value, its bounds, whether it is shown, and why. */
export interface ILock {
  fixed?: Value;
  hidden: boolean;
  minimum?: string | number;
  maximum?: string | number;
  enum?: Value[];
  reason: string;
}

type Branch = IObjectSchema | boolean | undefined;

/** What template and site decided about each field. */
export type LocksByField = Readonly<Record<string, readonly ILock[]>>;

/** The form for the values so far; `formats/fields.py` does the same for the core. */
export interface IForm {
  /** The fields that are there, in order, each with all that applies to it. */
  fields: Map<string, IParameterSchema>;
  required: Set<string>;
  /** Values that count: given or by default. */
  values: Values;
}

const LARGER = ['minimum', 'exclusiveMinimum', 'minLength'];
const SMALLER = ['maximum', 'exclusiveMaximum', 'maxLength'];
const FIRST = ['type', 'pattern', 'multipleOf'];

/** The form for values as they are sent; `locks` win over them. */
export function resolve(
  schema: IObjectSchema,
  given: Readonly<Record<string, unknown>>,
  locks: LocksByField = {}
): IForm {
  const order = [...namesOf(schema).keys()];
  let values: Values = {};
  for (let round = 0; round < order.length + 2; round++) {
    const { fields, required } = applying(schema, values);
    const there = new Map<string, IParameterSchema>();
    const counted: Values = {};
    for (const name of order) {
      const field = fields.get(name);
      if (field) {
        const whole = withBounds(field, locks[name] ?? []);
        there.set(name, whole);
        const value =
          fixedValue(locks[name]) ?? given[name] ?? whole.default ?? null;
        if (value !== null) {
          counted[name] = value as Value;
        }
      }
    }
    if (same(counted, values)) {
      const needed = [...required].filter(name => there.has(name));
      return { fields: there, required: new Set(needed), values };
    }
    values = counted;
  }
  // The server refuses such a template; the form shows it as far as it got.
  const { fields, required } = applying(schema, values);
  return { fields, required, values };
}

/** The form for values as they are typed. */
export function resolveTyped(
  schema: IObjectSchema,
  typed: Readonly<Record<string, RawValue>>,
  locks: LocksByField = {}
): IForm {
  const names = namesOf(schema);
  const given: Record<string, Value> = {};
  for (const [name, raw] of Object.entries(typed)) {
    const field = names.get(name);
    const value = field ? parseValue(field, raw) : null;
    if (value !== null) {
      given[name] = value;
    }
  }
  return resolve(schema, given, locks);
}

/** A field with the bounds that other fields' values are. */
export function withLimits(
  field: IParameterSchema,
  values: Values
): IParameterSchema {
  const found = { ...field };
  const low = field['x-minimum'] && values[field['x-minimum']];
  const high = field['x-maximum'] && values[field['x-maximum']];
  if (typeof low === 'number') {
    found.minimum = Math.max(field.minimum ?? low, low);
  }
  if (typeof high === 'number') {
    found.maximum = Math.min(field.maximum ?? high, high);
  }
  return found;
}

/** The value that is fixed; of several the site's, which comes last. */
export function fixedValue(locks: readonly ILock[] = []): Value | undefined {
  return locks.reduce<Value | undefined>(
    (found, { fixed }) => fixed ?? found,
    undefined
  );
}

export function isHidden(locks: readonly ILock[] = []): boolean {
  return locks.some(({ hidden }) => hidden);
}

/** Whether it is not the user's to set. */
export function isDecided(locks: readonly ILock[] = []): boolean {
  return isHidden(locks) || fixedValue(locks) !== undefined;
}

/** Why it is decided. */
export function reasonOf(locks: readonly ILock[] = []): string {
  return [...new Set(locks.map(({ reason }) => reason))]
    .filter(Boolean)
    .join(' ');
}

function withBounds(
  field: IParameterSchema,
  locks: readonly ILock[]
): IParameterSchema {
  return locks.reduce((found, lock) => {
    const more: IParameterSchema = {};
    if (typeof lock.minimum === 'number') {
      more.minimum = lock.minimum;
    }
    if (typeof lock.maximum === 'number') {
      more.maximum = lock.maximum;
    }
    if (lock.enum) {
      more.enum = lock.enum;
    }
    return merged(found, more);
  }, field);
}

/** Every field that may be there, with its first schema, in the order of the form. */
export function namesOf(schema: IObjectSchema): Map<string, IParameterSchema> {
  const found = new Map<string, IParameterSchema>();
  const visit = (branch: Branch, depth: number): void => {
    if (typeof branch !== 'object' || branch === null || depth > 40) {
      return;
    }
    const each = followed<IObjectSchema>(schema, branch);
    for (const [name, field] of Object.entries(each.properties ?? {})) {
      if (typeof field === 'object' && !found.has(name)) {
        found.set(name, followed(schema, field));
      }
    }
    each.allOf?.forEach(part => visit(part, depth + 1));
    if (each.if !== undefined) {
      visit(each.then, depth + 1);
      visit(each.else, depth + 1);
    }
    Object.values(each.dependentSchemas ?? {}).forEach(part =>
      visit(part, depth + 1)
    );
  };
  visit(schema, 0);
  return found;
}

function applying(
  schema: IObjectSchema,
  values: Values
): Pick<IForm, 'fields' | 'required'> {
  const fields = new Map<string, IParameterSchema>();
  const required = new Set<string>();
  const hidden: string[] = [];
  for (const each of branches(schema, schema, values)) {
    each.required?.forEach(name => required.add(name));
    for (const [name, needs] of Object.entries(each.dependentRequired ?? {})) {
      (name in values ? needs : []).forEach(need => required.add(need));
    }
    for (const [name, field] of Object.entries(each.properties ?? {})) {
      if (field === false) {
        hidden.push(name);
      } else if (typeof field === 'object') {
        fields.set(
          name,
          merged(fields.get(name) ?? {}, followed(schema, field))
        );
      }
    }
  }
  hidden.forEach(name => fields.delete(name));
  return { fields, required };
}

/** The schemas that apply to the values as a whole. */
function* branches(
  root: IObjectSchema,
  branch: Branch,
  values: Values
): Generator<IObjectSchema> {
  if (typeof branch !== 'object' || branch === null) {
    return;
  }
  const schema = followed<IObjectSchema>(root, branch);
  yield schema;
  for (const each of schema.allOf ?? []) {
    yield* branches(root, each, values);
  }
  if (schema.if !== undefined) {
    const met = holds(root, schema.if, values);
    yield* branches(root, met ? schema.then : schema.else, values);
  }
  for (const [name, each] of Object.entries(schema.dependentSchemas ?? {})) {
    if (name in values) {
      yield* branches(root, each, values);
    }
  }
}

/** Both schemas of one field as one: the narrower bounds, the later words and default. */
function merged(
  field: IParameterSchema,
  more: IParameterSchema
): IParameterSchema {
  const found = { ...field } as Record<string, unknown>;
  for (const [word, value] of Object.entries(more)) {
    const former = found[word];
    const numbers = typeof former === 'number' && typeof value === 'number';
    if (numbers && LARGER.includes(word)) {
      found[word] = Math.max(former, value);
    } else if (numbers && SMALLER.includes(word)) {
      found[word] = Math.min(former, value);
    } else if (word === 'enum' && Array.isArray(former)) {
      found[word] = former.filter(each => (value as unknown[]).includes(each));
    } else if (former === undefined || !FIRST.includes(word)) {
      found[word] = value;
    }
  }
  return found as IParameterSchema;
}

function same(one: Values, other: Values): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every(name => name in other && one[name] === other[name])
  );
}
