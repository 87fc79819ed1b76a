import type {
  Template,
  TemplateHealth,
  TemplateSummary
} from '../../../api/types';
import { Problem } from '../../../problem';
import { TemplateActions } from '../actions';
import { TemplatesModel } from '../model';
import { isScript, nameOfFile } from '../scriptform';

async function setup(source: TemplateSummary['source'] = 'private') {
  const calls: string[] = [];
  const state = { now: 'finished' as TemplateHealth['state'] };
  const one = {
    id: 'a',
    name: 'A',
    display_name: '',
    description: '',
    tags: ['x'],
    category: 'ml',
    hash: 'h',
    source,
    problem: null
  } as unknown as Template;
  const answer =
    (name: string) =>
    async (...args: string[]) => {
      calls.push([name, ...args].join(' '));
      return one;
    };
  const list = async () => ({
    templates: [one],
    total: 1,
    next_cursor: null
  });
  const templates = new TemplatesModel({
    client: { listTemplates: list, listArchivedTemplates: list }
  });
  await templates.refresh();
  const client = {
    cloneTemplate: answer('clone'),
    deleteTemplate: answer('delete'),
    moveTemplate: answer('move'),
    getTemplate: answer('get'),
    getTemplateText: async () => ({ text: 'yaml', hash: 'h' }),
    importTemplate: answer('import'),
    draftFromScript: () => Promise.reject(new Error('not asked for')),
    getTemplateHealth: jest.fn(async () => health(state.now)),
    startTemplateCheck: jest.fn(async () => health('running')),
    startOfficialChecks: jest.fn(async () => ({ running: ['a'] }))
  };
  const actions = new TemplateActions({ client, templates });
  return { actions, templates, calls, client, state };
}

const health = (state: TemplateHealth['state']): TemplateHealth => ({
  template_id: 'a',
  state,
  message: state === 'failed' ? 'Slurm does not answer.' : '',
  report: null,
  check: null,
  runs: null
});

it('has a template checked, until the news that it was', async () => {
  const { actions, client } = await setup();
  await actions.check('a');
  await actions.check('a');
  expect(client.startTemplateCheck).toHaveBeenCalledTimes(1);
  expect([...actions.checking]).toEqual(['a']);
  await actions.onChecked(['b']);
  expect([...actions.checking]).toEqual(['a']);
  await actions.onChecked(['a']);
  expect([...actions.checking]).toEqual([]);
  expect(actions.error).toBeNull();
});

it('says why a check could not be made', async () => {
  const { actions, client, state } = await setup();
  state.now = 'failed';
  await actions.check('a');
  await actions.onChecked(null);
  expect(actions.error).toEqual(new Error('Slurm does not answer.'));
  const away = new Problem({ code: 'network' });
  client.startTemplateCheck.mockRejectedValueOnce(away);
  await actions.check('a');
  expect(actions.error).toBe(away);
  expect(actions.checking.size).toBe(0);
});

it('waits on while the check is under way still', async () => {
  const { actions, state } = await setup();
  state.now = 'running';
  await actions.check('a');
  await actions.onChecked(null);
  expect([...actions.checking]).toEqual(['a']);
});

it('has the official set checked; what has ended already is not waited for', async () => {
  const { actions, client } = await setup('official');
  await actions.checkOfficial();
  expect([...actions.checking]).toEqual(['a']);
  await actions.onChecked(null);
  client.startOfficialChecks.mockResolvedValueOnce({ running: [] });
  await actions.checkOfficial();
  expect(actions.checking.size).toBe(0);
});

it('clones, and takes the copy back', async () => {
  const { actions, calls } = await setup();
  actions.startClone('a');
  await actions.clone('a', 'B');
  expect([actions.cloning, actions.notice?.kind]).toEqual([null, 'cloned']);
  await actions.undo();
  expect(calls).toEqual(['clone a B', 'delete a h']);
  expect(actions.notice).toBeNull();
});

it('shares and takes back', async () => {
  const { actions, calls } = await setup();
  await actions.share('a');
  await actions.undo();
  await actions.unshare('a');
  expect(calls).toEqual(['move a share', 'move a unshare', 'move a unshare']);
  expect(actions.notice?.kind).toBe('unshared');
});

it('deletes, and brings back to the shelf it was on', async () => {
  for (const [source, back] of [
    ['private', ['move a restore']],
    ['community', ['move a restore', 'move a share']]
  ] as const) {
    const { actions, calls } = await setup(source);
    await actions.remove('a');
    expect(calls).toEqual(['delete a h']);
    await actions.undo();
    expect(calls.slice(1)).toEqual(back);
  }
});

it('says why something was not done', async () => {
  const { actions, client } = await setup();
  const problem = new Problem({ code: 'forbidden' });
  client.moveTemplate = () => Promise.reject(problem);
  await actions.share('a');
  expect([actions.error, actions.notice, actions.busy]).toEqual([
    problem,
    null,
    false
  ]);
  actions.dismiss();
  expect(actions.error).toBeNull();
});

it('imports, exports, restores', async () => {
  const { actions, calls } = await setup();
  await actions.take('yaml');
  expect(actions.notice?.kind).toBe('imported');
  expect(await actions.exportText('a')).toBe('yaml');
  await actions.restore('a');
  expect(actions.notice?.kind).toBe('restored');
  expect(calls).toEqual(['import yaml', 'move a restore']);
});

it('narrows by shelf and tag, and asks for the archive when it is wanted', async () => {
  const { templates } = await setup();
  expect(templates.tags).toEqual([['x', 1]]);
  templates.narrow({ tag: 'y' });
  expect(templates.shelves).toEqual([]);
  templates.narrow({ tag: 'x', source: 'private' });
  expect(templates.shelves).toHaveLength(1);
  expect(templates.narrowed).toBe(true);
  templates.narrow({ tag: '', source: 'archived' });
  await templates.refresh();
  expect(templates.archived).toHaveLength(1);
});

it.each([
  ['a.sbatch', '', true],
  ['dir/a.b.SH', '', true],
  ['template.yaml', 'template:', false],
  ['unnamed', '#!/bin/bash\n', true]
])('tells whether %s is a script', (name, text, expected) => {
  expect(isScript(name, text)).toBe(expected);
});

it.each([
  ['dir/a.b.sh', 'a.b'],
  ['.sh', '.sh'],
  ['run', 'run']
])('calls a template of %s', (path, name) => {
  expect(nameOfFile(path)).toBe(name);
});
