import { Problem } from '../../../problem';
import { TemplateEditorModel } from '../model';
import { problemRows } from '../problems';
import { VersionsModel } from '../versionsmodel';
import { FakeDrafts, FakeShelf } from './fakes';

const TEXT = '# mine\nid: a\nnodes: 1';

async function setup(options: Partial<TemplateEditorModel.IOptions> = {}) {
  const shelf = new FakeShelf();
  shelf.files.set('a', TEXT);
  const drafts = new FakeDrafts();
  const open = async () => {
    const model = new TemplateEditorModel({
      key: 'a',
      id: 'a',
      client: shelf.client,
      drafts,
      ...options
    });
    await model.load();
    return model;
  };
  return { shelf, drafts, open, model: await open() };
}

it('shows a file, its values and its script', async () => {
  const { model } = await setup();
  expect(model.text).toBe(TEXT);
  expect(model.document).toMatchObject({ id: 'a', nodes: '1' });
  expect(model.preview?.script).toContain('nodes: 1');
  expect(model.dirty).toBe(false);
});

it('writes what the form says into the text, where comments stay', async () => {
  const { model, shelf, drafts } = await setup();
  model.edit({ ...model.document!, nodes: '2' });
  // Not in the text yet, and kept all the same.
  expect(model.text).toBe(TEXT);
  expect(drafts.kept.get('a')!.pending).toMatchObject({ id: 'a', nodes: '2' });
  await model.setView('yaml');
  expect(model.view).toBe('yaml');
  expect(model.text).toBe('# mine\nid: a\nnodes: 2');
  expect(model.pending).toBeNull();
  expect(await model.save()).toBe(true);
  expect(shelf.files.get('a')).toBe('# mine\nid: a\nnodes: 2');
  expect(model.dirty).toBe(false);
  expect(drafts.kept.size).toBe(0);
});

it('takes only the last of quick changes, and loses none', async () => {
  const { model, shelf } = await setup();
  let open = () => {};
  shelf.gate = new Promise(done => (open = done));
  model.edit({ ...model.document!, nodes: '2' });
  const slow = model.check();
  model.edit({ ...model.document!, mem: '4' });
  open();
  await slow;
  expect(model.text).toBe(TEXT);
  await model.flush();
  expect(model.text).toBe('# mine\nid: a\nnodes: 2\nmem: 4');
});

it('stays in the form while the server cannot write the values', async () => {
  const { model, shelf } = await setup();
  const { checkTemplate } = shelf.client;
  shelf.client.checkTemplate = () =>
    Promise.reject(new Problem({ code: 'network' }));
  model.edit({ ...model.document!, nodes: '2' });
  await model.setView('yaml');
  expect([model.view, model.pending?.nodes]).toEqual(['form', '2']);
  expect(await model.save()).toBe(false);
  shelf.client.checkTemplate = checkTemplate;
  expect(await model.save()).toBe(true);
  expect(shelf.files.get('a')).toContain('nodes: 2');
});

it('tells what is wrong with its line, and keeps its name', async () => {
  const { model } = await setup();
  model.setText('id: a\nnodes: [');
  await model.flush();
  expect(model.document).toBeNull();
  expect(model.title).toBe('a');
  expect(problemRows(model)).toEqual([{ line: 2, column: 1, message: 'bad' }]);
});

it('has what was typed after a reload, also what the form had', async () => {
  const { model, open } = await setup();
  model.setText(TEXT + '\ntyped: 1');
  const second = await open();
  expect(second.text).toContain('typed: 1');
  expect(second.recovered).toBe(true);
  await second.discard();
  expect(second.text).toBe(TEXT);
  second.edit({ id: 'a', nodes: '7' });
  const third = await open();
  expect(third.text).toContain('nodes: 7');
});

it('meets a save of somebody else with a merge', async () => {
  const { model, shelf, drafts } = await setup();
  model.setText(TEXT.replace('1', '2'));
  shelf.files.set('a', TEXT + '\ntheirs: 1');
  expect(await model.save()).toBe(false);
  expect(model.merging).toBe(true);
  expect(model.theirs!.text).toContain('theirs');
  expect(drafts.kept.get('a')!.text).toContain('nodes: 2');
  model.resolve('# mine\nid: a\nnodes: 2\ntheirs: 1');
  expect(model.merging).toBe(false);
  expect(await model.save()).toBe(true);
  expect(shelf.files.get('a')).toBe('# mine\nid: a\nnodes: 2\ntheirs: 1');
});

it('follows the disk while nothing was changed here, and asks when something was', async () => {
  const { model, shelf, open } = await setup();
  shelf.files.set('a', 'id: a\nnodes: 3');
  await model.onChanged(['b']);
  expect(model.text).toBe(TEXT);
  await model.onChanged(['a']);
  await model.flush();
  expect(model.document).toMatchObject({ id: 'a', nodes: '3' });
  model.setText('id: a\nnodes: 4');
  shelf.files.set('a', 'id: a\nnodes: 5');
  await model.onChanged(null);
  expect([model.text, model.theirs!.text]).toEqual([
    'id: a\nnodes: 4',
    'id: a\nnodes: 5'
  ]);
  // Also found by a reload.
  expect((await open()).theirs!.text).toBe('id: a\nnodes: 5');
  shelf.files.set('a', 'id: a\nnodes: 4');
  await model.onChanged(['a']);
  expect([model.theirs, model.dirty]).toEqual([null, false]);
});

it('keeps a template whose file went away, and makes it anew', async () => {
  const { model, shelf } = await setup();
  model.setText(TEXT + '\nmore: 1');
  shelf.files.delete('a');
  await model.onChanged(['a']);
  expect(model.gone).toBe(true);
  expect(await model.save()).toBe(true);
  expect(shelf.files.get('a')).toContain('more: 1');
  expect(model.gone).toBe(false);
});

it('makes a new one of a text', async () => {
  const { model, shelf } = await setup({ id: null, text: 'id: b\nnodes: 1' });
  expect([model.id, model.dirty, model.title]).toEqual([null, true, 'b']);
  expect(await model.save()).toBe(true);
  expect([model.id, shelf.files.get('b')]).toEqual(['b', 'id: b\nnodes: 1']);
});

it('changes nothing of what others own', async () => {
  const { shelf, open } = await setup();
  shelf.canEdit = false;
  const model = await open();
  model.setText('other');
  model.edit({});
  expect(model.text).toBe(TEXT);
  expect(await model.save()).toBe(false);
});

it('goes back to a former version, and forth again', async () => {
  const { model, shelf } = await setup();
  model.setText(TEXT.replace('1', '2'));
  await model.save();
  const versions = new VersionsModel({ client: shelf.client, editor: model });
  await versions.refresh();
  expect(versions.items).toHaveLength(1);
  await versions.show('v0');
  expect(versions.shown!.text).toBe(TEXT);
  await versions.restore('v0');
  expect([shelf.files.get('a'), model.text]).toEqual([TEXT, TEXT]);
  expect(versions.restored).toBe('v0');
  await versions.undo();
  expect(model.text).toContain('nodes: 2');
  expect(versions.restored).toBeNull();
  shelf.files.set('a', 'id: a');
  await versions.restore('v0');
  expect(versions.error).toBeInstanceOf(Problem);
});

it('keeps what needs a look until it was looked at', async () => {
  const notes = [{ message: 'Look', line: 3, pointer: '/slurm' }];
  const { open, drafts } = await setup({ id: null, text: TEXT, notes });
  expect(drafts.kept.get('a')?.notes).toEqual(notes);
  const again = await open();
  expect(again.notes).toEqual(notes);
  again.dismissNotes();
  expect(drafts.kept.get('a')).not.toHaveProperty('notes');
});
