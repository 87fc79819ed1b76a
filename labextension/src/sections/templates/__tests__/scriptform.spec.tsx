import * as React from 'react';

import type { TemplateDraft } from '../../../api/types';
import { click, draw, press } from '../../../components/__tests__/render';
import { useModel } from '../../../components/useModel';
import { AskedScript } from '../askedscript';
import { ScriptForm } from '../scriptform';

function setup() {
  const answers: Array<() => void> = [];
  const script = new AskedScript({
    client: {
      draftFromScript: async text => {
        await new Promise<void>(done => answers.push(done));
        return { text, notes: [] } as unknown as TemplateDraft;
      }
    }
  });
  const Page = () => {
    useModel(script);
    return script.open ? (
      <ScriptForm
        script={script}
        onScript={(text, name) => void script.draftOf(text, name)}
      />
    ) : null;
  };
  const page = draw(<Page />);
  const ask = (text?: string) =>
    React.act(() => script.ask(text === undefined ? {} : { text }));
  const box = () => page.get<HTMLTextAreaElement>('slurmdash-script-text');
  return { ...page, ask, box, answers };
}

it('keeps what is typed when it is put away', () => {
  const { ask, box, host, remove } = setup();
  ask('half edited');
  press(box(), 'Escape');
  expect(box()).toBeNull();
  ask();
  expect(box().value).toBe('half edited');
  const cancel = [...host.querySelectorAll('button')].at(-1)!;
  expect(cancel.textContent).toBe('Cancel');
  click(cancel);
  ask();
  expect(box().value).toBe('half edited');
  remove();
});

it('asks once for a template, however often one clicks', async () => {
  const { ask, box, get, answers, remove } = setup();
  ask('#!/bin/sh');
  const button = get('slurmdash-script-submit');
  click(button);
  expect(button.getAttribute('aria-disabled')).toBe('true');
  click(button);
  expect(answers).toHaveLength(1);
  await React.act(async () => answers[0]());
  expect(box()).toBeNull();
  remove();
});
