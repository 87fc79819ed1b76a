import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import type { TemplateDraft } from '../../api/types';
import { Problem } from '../../problem';
import { TemplateActions } from '../../sections/templates/actions';
import { addDraftCommands } from '../draftcommands';
import { CommandIDs } from '../ids';

const REFUSAL = new Problem({
  code: 'invalid-input',
  status: 400,
  detail: 'Line 2 of the script: hetjob.'
});

function setup() {
  const client = {
    draftFromScript: jest.fn(
      async (text: string) => ({ text, notes: [] }) as unknown as TemplateDraft
    )
  };
  const actions = new TemplateActions({
    client: client as never,
    templates: {} as never
  });
  const commands = new CommandRegistry();
  const opened: string[] = [];
  const revealed: string[] = [];
  addDraftCommands({
    app: { commands, shell: { activateById: () => undefined } } as never,
    services: { client, templateActions: actions } as never,
    panel: {
      id: 'panel',
      templates: 'templates',
      reveal: (section: string) => revealed.push(section)
    } as never,
    tabs: {
      open: async ({ text }: TemplateDraft) => opened.push(text)
    } as never,
    trans: nullTranslator.load(''),
    browsers: null
  });
  const run = (text?: string, name = '') =>
    commands.execute(
      CommandIDs.templateFromScript,
      text === undefined ? {} : { text, name }
    );
  return { client, run, opened, revealed, script: actions.script };
}

const told = () =>
  Notification.manager.notifications.map(({ message }) => message);

beforeEach(() => Notification.manager.dismiss());

it('asks for a script, and puts it away when it has become a template', async () => {
  const { run, opened, revealed, script } = setup();
  await run();
  expect([script.open, revealed]).toEqual([true, ['templates']]);
  script.ask({ text: '#!/bin/sh', name: 'run', error: REFUSAL });
  await run('#!/bin/sh', 'run');
  expect(opened).toEqual(['#!/bin/sh']);
  expect(script).toMatchObject({
    open: false,
    text: '',
    name: '',
    error: null
  });
});

it('leaves a script alone that is typed when another becomes a template', async () => {
  const { run, opened, script } = setup();
  script.ask({ text: 'half edited' });
  await run('#!/bin/sh', 'run');
  expect(opened).toEqual(['#!/bin/sh']);
  expect(script).toMatchObject({ open: true, text: 'half edited' });
});

it('leaves it alone, too, when it was typed on while a template is made of it', async () => {
  const { run, script } = setup();
  script.ask({ text: 'a' });
  const running = run('a');
  script.ask({ text: 'ab' });
  await running;
  expect(script).toMatchObject({ open: true, text: 'ab' });
});

it('shows one that cannot be read, to be mended', async () => {
  const { client, run, revealed, script } = setup();
  client.draftFromScript.mockRejectedValue(REFUSAL);
  script.ask();
  await run('#SBATCH hetjob', 'run');
  expect(revealed).toEqual(['templates']);
  expect(script).toMatchObject({
    open: true,
    text: '#SBATCH hetjob',
    name: 'run',
    error: REFUSAL
  });
  expect(told()).toEqual([]);
});

it('says why one cannot be read where another is typed, which stays', async () => {
  const { client, run, script } = setup();
  client.draftFromScript.mockRejectedValue(REFUSAL);
  script.ask({ text: 'half edited' });
  script.hide();
  await run('#SBATCH hetjob', 'run');
  expect(script).toMatchObject({ text: 'half edited', error: null });
  expect(told()).toEqual(['run: Line 2 of the script: hetjob.']);
});

it('makes one template of two quick clicks', async () => {
  const { run, opened, script } = setup();
  script.ask({ text: 'a' });
  const running = [run('a'), run('a')];
  expect(script.busy).toBe(true);
  await Promise.all(running);
  expect(opened).toEqual(['a']);
  expect(script.busy).toBe(false);
});
