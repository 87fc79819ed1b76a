import * as React from 'react';

import { Observable } from '../../observable';
import { Problem } from '../../problem';
import { loadText } from '../../text';
import { SelectField } from '../Field';
import { EmptyNote, ErrorNote } from '../Notes';
import { Part } from '../Part';
import { ProgressBar } from '../ProgressBar';
import { FaultBoundary } from '../ReactSection';
import { ScriptText, tokens } from '../ScriptText';
import { SearchBox } from '../SearchBox';
import { isFinal, kindOf, StateMark, stateWord } from '../StateMark';
import { Tabs } from '../Tabs';
import { useModel, useNow } from '../useModel';
import { click, draw, press, type } from './render';

const trans = loadText();
const STATES = [
  'PENDING',
  'CONFIGURING',
  'REQUEUED',
  'SUSPENDED',
  'RUNNING',
  'COMPLETING',
  'COMPLETED',
  'CANCELLED',
  'FAILED',
  'TIMEOUT',
  'OUT_OF_MEMORY',
  'NODE_FAIL',
  'PREEMPTED',
  'BOOT_FAIL',
  'DEADLINE'
];

it('has a word of its own and a kind for every state', () => {
  const words = STATES.map(state => stateWord(trans, state));
  expect(new Set(words).size).toBe(STATES.length);
  expect(STATES.every(state => kindOf(state))).toBe(true);
  expect(stateWord(trans, 'NEW_ONE')).toBe('Unknown');
  expect(isFinal('FAILED') && !isFinal('RUNNING') && !isFinal('X')).toBe(true);
});

it('shows a state as icon and word, with the raw word one hover away', () => {
  const { host, update, remove } = draw(
    <StateMark state="TIMEOUT" raw="TIMEOUT+" />
  );
  expect(host.textContent).toBe('Out of time');
  expect(
    host.querySelector('[title="TIMEOUT+"][data-state="TIMEOUT"]')
  ).not.toBeNull();
  update(<StateMark state="NEW_ONE" />);
  expect(host.textContent).toBe('Unknown');
  remove();
});

it('says what went wrong and offers another try', () => {
  let tries = 0;
  const { host, remove } = draw(
    <>
      <EmptyNote>Nothing</EmptyNote>
      <ErrorNote
        error={new Problem({ code: 'x', detail: 'Broken <b>.' })}
        onRetry={() => (tries += 1)}
      />
    </>
  );
  expect(host.querySelector('[role="alert"]')?.textContent).toContain(
    'Broken <b>.'
  );
  click(host.querySelector('button')!);
  expect(tries).toBe(1);
  remove();
});

it('keeps a fault to its own section', () => {
  const silent = jest.spyOn(console, 'error').mockImplementation(() => {});
  let broken = true;
  const Fragile = () => {
    if (broken) {
      throw new Error('boom');
    }
    return <p>fine</p>;
  };
  const { host, remove } = draw(
    <FaultBoundary>
      <Fragile />
    </FaultBoundary>
  );
  expect(host.textContent).toContain('boom');
  broken = false;
  click(host.querySelector('button')!);
  expect(host.textContent).toBe('fine');
  remove();
  silent.mockRestore();
});

it('tells progress in per cent, within its bounds', () => {
  const { host, remove } = draw(<ProgressBar value={1.7} label="Upload" />);
  const bar = host.querySelector('[role="progressbar"]')!;
  expect(bar.getAttribute('aria-valuenow')).toBe('100');
  remove();
});

it('empties a search by Escape', () => {
  const said: string[] = [];
  const { get, remove } = draw(
    <SearchBox
      label="Search"
      value="x"
      testId="s"
      onChange={v => said.push(v)}
    />
  );
  type(get('s'), 'xy');
  press(get('s'), 'Escape');
  expect(said).toEqual(['xy', '']);
  remove();
});

it('moves among tabs by the arrow keys', () => {
  const chosen: string[] = [];
  const tabs = ['a', 'b'].map(id => ({
    id,
    label: id.toUpperCase(),
    content: () => <p>{`view ${id}`}</p>
  }));
  const { host, remove } = draw(
    <Tabs
      label="Parts"
      tabs={tabs}
      value="b"
      onChange={id => chosen.push(id)}
    />
  );
  expect(host.textContent).toContain('view b');
  press(host.querySelector('[role="tablist"]')!, 'ArrowRight');
  press(host.querySelector('[role="tablist"]')!, 'ArrowLeft');
  click(host.querySelectorAll('[role="tab"]')[0]);
  expect(chosen).toEqual(['a', 'a', 'a']);
  remove();
});

it('labels a select and a part', () => {
  const { host, remove } = draw(
    <Part title="Title" side="side">
      <SelectField
        label="Pick"
        value="1"
        options={[{ value: '1', label: 'one' }]}
        onChange={() => undefined}
      />
    </Part>
  );
  const select = host.querySelector('select')!;
  expect(host.querySelector(`label[for="${select.id}"]`)?.textContent).toBe(
    'Pick'
  );
  remove();
});

it('colours a script and lets changed lines glow, never the first time', () => {
  const { host, update, remove } = draw(
    <ScriptText script={'#!/bin/bash\n#SBATCH --time=1'} label="Script" />
  );
  expect(host.querySelector('.jp-mod-changed')).toBeNull();
  update(
    <ScriptText script={'#!/bin/bash\n#SBATCH --time=2'} label="Script" />
  );
  expect(host.querySelectorAll('.jp-mod-changed')).toHaveLength(1);
  expect(host.textContent).toContain('#SBATCH --time=2');
  remove();
});

it('reads shell for the eye', () => {
  expect(tokens('#SBATCH -n 1')[0]).toEqual(['directive', '#SBATCH']);
  expect(tokens('# note')).toEqual([['comment', '# note']]);
  expect(tokens('export A="$B" ${C}').map(([kind]) => kind)).toEqual([
    'keyword',
    '',
    'variable',
    '',
    'variable'
  ]);
});

it('draws again when a model changes, and stops listening', () => {
  class Counter extends Observable {
    n = 0;
    add() {
      this.n += 1;
      this.notify();
    }
  }
  const model = new Counter();
  const View = () => {
    useModel(model);
    useNow(false);
    return <p>{model.n}</p>;
  };
  const { host, update, remove } = draw(<View />);
  React.act(() => model.add());
  update(<View />);
  expect(host.textContent).toBe('1');
  remove();
  model.dispose();
  model.dispose();
  model.add();
  expect(model.version).toBe(1);
});
