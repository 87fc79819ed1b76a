import { loadText } from '../../text';
import {
  fixedValue,
  isHidden,
  namesOf,
  resolve,
  resolveTyped,
  withLimits,
  type IObjectSchema,
  type LocksByField
} from '../schemafields';
import { mistakeIn } from '../SchemaForm';
import type { RawValue } from '../schemavalues';

interface ICase {
  name: string;
  schema: IObjectSchema;
  locks?: LocksByField;
  given: Record<string, unknown>;
  fields: Record<string, object>;
  required?: string[];
  hidden?: string[];
  readonly?: string[];
  limits?: Record<string, object>;
  values: Record<string, unknown>;
  errors: string[];
}

const { cases } = jest.requireActual<{ cases: ICase[] }>(
  '../../../../tests/formats/data/fields.json'
);

const trans = loadText();

/** As somebody types it. */
function typed(given: Record<string, unknown>): Record<string, RawValue> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      typeof value === 'boolean' ? value : value === null ? '' : String(value)
    ])
  );
}

function bounds(field: object, words: string[]): object {
  return Object.fromEntries(
    Object.entries(field).filter(([word]) => words.includes(word))
  );
}

describe('the cases that the core is held to as well', () => {
  it.each(cases.map(each => [each.name, each] as const))('%s', (_, each) => {
    const locks = each.locks ?? {};
    const form = resolve(each.schema, each.given, locks);
    const shown = [...form.fields].filter(([name]) => !isHidden(locks[name]));
    expect(shown.map(([name]) => name)).toEqual(Object.keys(each.fields));
    const words = ['minimum', 'maximum', 'enum'];
    for (const [name, field] of shown) {
      expect(bounds(field, words)).toEqual(each.fields[name]);
    }
    for (const [name, limits] of Object.entries(each.limits ?? {})) {
      const field = withLimits(form.fields.get(name)!, form.values);
      expect(bounds(field, words)).toEqual(limits);
    }
    expect([...form.required].sort()).toEqual(each.required ?? []);
    expect(form.values).toEqual(each.values);
    expect(
      shown
        .map(([name]) => name)
        .filter(name => fixedValue(locks[name]) !== undefined)
    ).toEqual(each.readonly ?? []);
    // What is typed is read as what is given; text that may be a number stays text.
    if (!Object.values(each.schema.properties ?? {}).some(isMixed)) {
      expect(
        resolveTyped(each.schema, typed(each.given), locks).values
      ).toEqual(each.values);
    }
  });

  it.each(cases.map(each => [each.name, each] as const))(
    '%s: where something is wrong',
    (_, each) => {
      const form = resolve(each.schema, each.given, each.locks);
      const wrong = [...form.fields]
        .filter(([name, field]) => {
          const value = form.values[name];
          return value === undefined
            ? form.required.has(name)
            : mistakeIn(
                trans,
                withLimits(field, form.values),
                typed({ x: value }).x
              ) !== '';
        })
        .map(([name]) => `/${name}`);
      expect(wrong.sort()).toEqual(each.errors);
    }
  );
});

function isMixed(field: unknown): boolean {
  return (
    typeof field === 'object' &&
    Array.isArray((field as { type?: unknown }).type)
  );
}

it('keeps a value that was typed into a field that went, for when it comes back', () => {
  const { schema } = cases.find(({ name }) => name.startsWith('then: the'))!;
  const values: Record<string, RawValue> = {
    optimizer: 'sgd',
    momentum: '0.5'
  };
  expect(resolveTyped(schema, values).values).toEqual({
    optimizer: 'sgd',
    momentum: 0.5
  });
  values.optimizer = 'adam';
  expect(resolveTyped(schema, values).values).toEqual({ optimizer: 'adam' });
  values.optimizer = 'sgd';
  expect(resolveTyped(schema, values).values.momentum).toBe(0.5);
});

it('ends with what it has where fields depend on each other in a circle', () => {
  const schema: IObjectSchema = {
    properties: { a: { type: 'integer', default: 1 } },
    if: { required: ['a'] },
    then: { properties: { a: false } }
  };
  expect(namesOf(schema).size).toBe(1);
  expect(resolve(schema, {}).fields.size).toBeLessThan(2);
});
