import * as React from 'react';

import { loadText } from '../../text';
import {
  mistakeIn,
  parseValue,
  SchemaForm,
  typeOf,
  type IObjectSchema,
  type RawValue
} from '../SchemaForm';
import { click, draw, type } from './render';

const trans = loadText();

const SCHEMA: IObjectSchema = {
  required: ['epochs'],
  properties: {
    epochs: {
      type: 'integer',
      title: 'Epochs',
      minimum: 1,
      maximum: 100,
      default: 10
    },
    rate: { type: 'number', description: 'Step size', exclusiveMinimum: 0 },
    optimizer: { enum: ['adam', 'sgd'], default: 'adam' },
    mixed: { type: 'boolean', default: true },
    note_text: { type: ['string', 'null'] }
  }
};

function setup(values: Record<string, RawValue> = {}) {
  const changes: Array<[string, RawValue]> = [];
  const page = draw(
    <SchemaForm
      schema={SCHEMA}
      values={values}
      errors={new Map([['/parameters/rate', 'From the server.']])}
      pointer="/parameters"
      testId="p"
      onChange={(name, value) => changes.push([name, value])}
    />
  );
  return { ...page, changes };
}

describe('SchemaForm', () => {
  it('shows titles, hints, defaults and errors', () => {
    const { host, get, remove } = setup();
    expect(get<HTMLInputElement>('p-epochs').value).toBe('10');
    expect(get<HTMLInputElement>('p-mixed').checked).toBe(true);
    expect(host.textContent).toContain('1 to 100');
    expect(host.textContent).toContain('note text');
    expect(host.textContent).toContain('From the server.');
    expect(get('p-epochs').getAttribute('aria-required')).toBe('true');
    expect(get('p-rate').getAttribute('aria-invalid')).toBe('true');
    expect(get('p-rate').dataset.pointer).toBe('/parameters/rate');
    remove();
  });

  it('keeps what is typed as it is typed', () => {
    const { get, changes, remove } = setup({ rate: '1e-' });
    expect(get<HTMLInputElement>('p-rate').value).toBe('1e-');
    type(get('p-rate'), '1e-3');
    click(get('p-mixed'));
    expect(changes).toEqual([
      ['rate', '1e-3'],
      ['mixed', false]
    ]);
    remove();
  });

  it('shows a value that the list does not have, rather than another', () => {
    const { get, remove } = setup({ optimizer: 'gone' });
    expect(get<HTMLSelectElement>('p-optimizer').value).toBe('gone');
    remove();
  });
});

describe('fields that depend on others and that are decided', () => {
  const DEPENDENT: IObjectSchema = {
    properties: {
      optimizer: { enum: ['adam', 'sgd'], default: 'adam' },
      debug: { type: 'boolean', default: false },
      cells: { type: 'integer', minimum: 1, default: 10 }
    },
    if: { properties: { optimizer: { const: 'sgd' } } },
    then: { properties: { momentum: { type: 'number', title: 'Momentum' } } }
  };
  const LOCKS = {
    debug: [{ hidden: true, reason: '' }],
    cells: [{ hidden: false, fixed: 8, reason: 'The licence is for 8.' }]
  };

  function Page() {
    const [values, setValues] = React.useState<Record<string, RawValue>>({});
    return (
      <SchemaForm
        schema={DEPENDENT}
        values={values}
        locks={LOCKS}
        errors={new Map()}
        pointer="/parameters"
        testId="p"
        onChange={(name, value) => setValues({ ...values, [name]: value })}
      />
    );
  }

  function choose(page: ReturnType<typeof draw>, value: string) {
    const select = page.get<HTMLSelectElement>('p-optimizer');
    React.act(() => {
      select.value = value;
      select.dispatchEvent(new Event('change', { bubbles: true }));
    });
  }

  it('brings a field and what was typed in it back, and says so', () => {
    const page = draw(<Page />);
    const find = () => page.host.querySelector('[data-testid="p-momentum"]');
    const said = () => page.get('p-announced').textContent;
    expect(find()).toBeNull();
    expect(said()).toBe('');
    choose(page, 'sgd');
    expect(said()).toBe('New below: Momentum.');
    type(page.get('p-momentum'), '0.5');
    choose(page, 'adam');
    expect(find()).toBeNull();
    expect(said()).toBe('No longer asked for: Momentum.');
    choose(page, 'sgd');
    expect(page.get<HTMLInputElement>('p-momentum').value).toBe('0.5');
    expect(page.get('p-announced').getAttribute('role')).toBe('status');
    page.remove();
  });

  it('shows what is fixed with the reason, and nothing that is hidden', () => {
    const page = draw(<Page />);
    const cells = page.get<HTMLInputElement>('p-cells');
    expect(cells.readOnly).toBe(true);
    expect(cells.value).toBe('8');
    expect(page.host.textContent).toContain(
      'fixed here · The licence is for 8.'
    );
    expect(page.host.querySelector('[data-testid="p-debug"]')).toBeNull();
    page.remove();
  });
});

it.each<[object, RawValue, unknown]>([
  [{ type: 'integer' }, '5', 5],
  [{ type: 'number' }, '1e-3', 0.001],
  [{ type: 'number' }, 'x', 'x'],
  [{ type: 'number' }, ' ', null],
  [{ type: 'string' }, 'x', 'x'],
  [{ type: 'boolean' }, 'true', true],
  [{ enum: [1, 2] }, '2', 2],
  [{ enum: [1, 2] }, '3', '3']
])('reads %j %j as %j', (schema, raw, value) => {
  expect(parseValue(schema, raw)).toBe(value);
});

it('takes null beside a type as "may be left out"', () => {
  expect(typeOf({ type: ['null', 'integer'] })).toBe('integer');
  expect(typeOf({})).toBe('string');
});

it.each<[object, string, string]>([
  [{ type: 'integer' }, 'x', 'Not a number.'],
  [{ type: 'integer' }, '1.5', 'A whole number, please.'],
  [{ type: 'integer', minimum: 2 }, '1', 'At least 2.'],
  [{ type: 'number', maximum: 2 }, '3', 'At most 2.'],
  [{ type: 'number', exclusiveMinimum: 0 }, '0', 'More than 0.'],
  [{ type: 'number', exclusiveMaximum: 1 }, '1', 'Less than 1.'],
  [{ type: 'number', minimum: 0 }, '', ''],
  [{ type: 'number', minimum: 0 }, '1', ''],
  [{ type: 'string' }, 'x', '']
])('%j: %j is answered %j', (schema, raw, mistake) => {
  expect(mistakeIn(trans, schema, raw)).toBe(mistake);
});
