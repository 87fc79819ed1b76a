import type { TemplateHealth } from '../../../api/types';
import { Observable } from '../../../observable';
import { HealthModel } from '../healthmodel';
import type { TemplateEditorModel } from '../model';

class Editor extends Observable {
  id: string | null = 'a';
  base: { text: string; hash: string } | null = { text: '', hash: '1' };

  set(change: Partial<Pick<Editor, 'id' | 'base'>>): void {
    Object.assign(this, change);
    this.notify();
  }
}

const health = (state: TemplateHealth['state']): TemplateHealth => ({
  template_id: 'a',
  state,
  message: '',
  report: null,
  check: null,
  runs: null
});

/** A server where checks end when they are told to. */
function setUp() {
  const editor = new Editor();
  const state = { now: 'none' as TemplateHealth['state'], asked: 0 };
  const client = {
    getTemplateHealth: jest.fn(async () => health(state.now)),
    startTemplateCheck: jest.fn(async () => {
      state.now = 'running';
      return health('running');
    })
  };
  const model = new HealthModel({
    client,
    editor: editor as unknown as TemplateEditorModel
  });
  return { editor, state, client, model };
}

it('asks when the editor has another template or text, and only then', async () => {
  const { editor, client } = setUp();
  expect(client.getTemplateHealth).toHaveBeenCalledTimes(1);
  editor.set({});
  expect(client.getTemplateHealth).toHaveBeenCalledTimes(1);
  editor.set({ base: { text: 'x', hash: '2' } });
  expect(client.getTemplateHealth).toHaveBeenCalledTimes(2);
  editor.set({ id: null });
  expect(client.getTemplateHealth).toHaveBeenCalledTimes(2);
});

it('runs until the news of its end, and does not start twice', async () => {
  const { state, client, model } = setUp();
  const starting = model.start();
  void model.start();
  expect(model.running).toBe(true);
  await starting;
  await model.start();
  expect(client.startTemplateCheck).toHaveBeenCalledTimes(1);
  state.now = 'finished';
  await model.onNews(['other']);
  expect(model.running).toBe(true);
  await model.onNews(['other', 'a']);
  expect(model.running).toBe(false);
});

it('has ended when the news overtook the answer', async () => {
  const { state, client, model } = setUp();
  client.startTemplateCheck.mockImplementation(async () => {
    const answer = health('running');
    state.now = 'finished';
    await model.onNews(['a']);
    return answer;
  });
  await model.start();
  expect(model.health?.state).toBe('finished');
  expect(model.running).toBe(false);
});

it('says why it could not be asked, and can be asked again', async () => {
  const { client, model } = setUp();
  client.startTemplateCheck.mockRejectedValueOnce(new Error('away'));
  await model.start();
  expect(model.error).toEqual(new Error('away'));
  expect(model.running).toBe(false);
  await model.start();
  expect(model.running).toBe(true);
});
