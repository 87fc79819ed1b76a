import * as React from 'react';

import { click, draw, type } from '../../../components/__tests__/render';
import type { Doc } from '../document';
import { FormContext } from '../fields';
import { LocksPart } from '../lockspart';

function setup(start: Doc, errors = new Map<string, string>()) {
  let now = start;
  function Page() {
    const [doc, setDoc] = React.useState(start);
    now = doc;
    return (
      <FormContext.Provider value={{ doc, edit: setDoc, errors }}>
        <LocksPart />
      </FormContext.Provider>
    );
  }
  const page = draw(<Page />);
  const choose = (id: string, value: string) =>
    React.act(() => {
      const select = page.get<HTMLSelectElement>(id);
      select.value = value;
      select.dispatchEvent(new Event('change', { bubbles: true }));
    });
  return { ...page, choose, doc: () => now };
}

const PARAMETERS = {
  properties: { cells: { type: 'integer' }, debug: { type: 'boolean' } }
};

it('decides about options and parameters, with values of their types', () => {
  const page = setup({ parameters: PARAMETERS });
  page.choose('slurmdash-lock-add', 'slurm.time');
  type(page.get('slurmdash-field-locks-slurm-time-maximum'), '08:00:00');
  type(page.get('slurmdash-field-locks-slurm-time-reason'), 'Too long.');
  page.choose('slurmdash-lock-add', 'parameters.cells');
  type(page.get('slurmdash-field-locks-parameters-cells-maximum'), '100');
  page.choose('slurmdash-lock-add', 'parameters.debug');
  page.choose('slurmdash-field-locks-parameters-debug-fixed', 'false');
  expect(page.doc().locks).toEqual({
    slurm: { time: { hidden: true, maximum: '08:00:00', reason: 'Too long.' } },
    parameters: {
      cells: { hidden: true, maximum: 100 },
      debug: { hidden: true, fixed: false }
    }
  });
  click(page.get('slurmdash-field-locks-slurm-time-hidden'));
  expect(page.doc().locks).toHaveProperty('slurm.time', {
    maximum: '08:00:00',
    reason: 'Too long.'
  });
  page.remove();
});

it('leaves a field to the user again, and nothing empty behind', () => {
  const page = setup({ locks: { slurm: { nodes: { fixed: 1 } } } });
  click(page.get('slurmdash-lock-slurm-nodes').querySelector('button')!);
  expect(page.doc()).toEqual({});
  page.remove();
});

it('says what is wrong where it is', () => {
  const page = setup(
    { locks: { slurm: { time: {} } } },
    new Map([['/locks/slurm/time', 'This locks nothing of time.']])
  );
  expect(page.get('slurmdash-lock-slurm-time').textContent).toContain(
    'This locks nothing of time.'
  );
  page.remove();
});
