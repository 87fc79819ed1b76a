import { nullTranslator } from '@jupyterlab/translation';

import type { ISlurmEvent } from '../../api/events';
import { Problem } from '../../problem';
import { fileDropClasses } from '../filedrop';

const FILE = {
  file_id: 'f1',
  name: 'd.csv',
  type: 'data',
  slot: 'dataset',
  size: 4,
  offset: 4,
  progress: 100,
  state: 'complete',
  origin: 'upload',
  path: null,
  sha256: 'abc',
  problem: null
};

function session(id: string, files: unknown[] = []) {
  return {
    session_id: id,
    status: 'active',
    template_id: null,
    expires_at: '',
    chunk_size: 1,
    tus_url: `/tus/${id}`,
    files,
    progress: 0,
    total_size: 0
  };
}

/** As much of @jupyter-widgets/base as a model and a view need. */
class Model {
  constructor(private readonly _state: Record<string, unknown>) {}

  readonly heard = new Map<string, () => void>();
  saved = 0;

  defaults() {
    return { _view_count: null };
  }

  get(name: string) {
    return this._state[name];
  }

  set(name: string, value: unknown) {
    this._state[name] = value;
    this.heard.get(`change:${name}`)?.();
  }

  listenTo(_: Model, event: string, listener: () => void) {
    this.heard.set(event, listener);
  }

  save_changes() {
    this.saved += 1;
  }

  async close() {}
}

class View {
  constructor(
    readonly model: Model,
    readonly el: HTMLElement
  ) {}

  displayed = Promise.resolve();

  render() {}

  remove() {
    return this;
  }
}

function made(client: Record<string, unknown>) {
  const hears: Array<(event: ISlurmEvent) => void> = [];
  let left = 0;
  const classes = fileDropClasses(
    { DOMWidgetModel: Model, DOMWidgetView: View } as never,
    {
      translator: nullTranslator,
      model: { client, uploader: {}, newKey: () => 'key' } as never,
      listen: hear => {
        hears.push(hear);
        return () => (left += 1);
      }
    }
  );
  const { FileDropModel, FileDropView } = classes as unknown as {
    FileDropModel: typeof Model;
    FileDropView: typeof View;
  };
  const model = new FileDropModel({
    session_id: 's1',
    template: '',
    files: [],
    description: 'Input'
  });
  const el = document.createElement('div');
  document.body.append(el);
  const view = new FileDropView(model, el);
  return { model, view, el, hears, left: () => left };
}

const settled = () => new Promise(done => setTimeout(done, 250));

it('shows the kernel’s session and tells the kernel of its files', async () => {
  let files: unknown[] = [];
  const { model, view, el, hears, left } = made({
    getSession: async (id: string) => session(id, files),
    validateSession: async () => ({})
  });
  view.render();
  await settled();
  const field = el.querySelector('[role="group"]')!;
  expect(field.getAttribute('aria-label')).toBe('Input');
  expect(field.getAttribute('aria-busy')).toBe('false');
  expect(el.dataset.lmSuppressShortcuts).toBe('true');
  expect(model.get('files')).toEqual([]);

  files = [FILE];
  hears[0]({
    channel: 'uploads',
    type: 'upload_complete',
    session_id: 's1',
    files
  } as unknown as ISlurmEvent);
  await settled();
  expect(model.get('files')).toEqual([
    {
      name: 'd.csv',
      slot: 'dataset',
      size: 4,
      state: 'complete',
      progress: 100,
      sha256: 'abc'
    }
  ]);
  expect(model.saved).toBe(1);
  expect(el.textContent).toContain('d.csv');

  view.remove();
  expect(el.textContent).toBe('');
  await model.close();
  expect(left()).toBe(1);
});

it('looks again when the kernel has added files or made another session', async () => {
  const asked: string[] = [];
  const { model, view } = made({
    getSession: async (id: string) => {
      asked.push(id);
      return session(id, id === 's2' ? [FILE] : []);
    },
    getTemplate: async () => Promise.reject(new Error('no such template')),
    validateSession: async () => ({})
  });
  view.render();
  await settled();
  model.set('files', [{ name: 'by the kernel' }]);
  await settled();
  expect(asked).toEqual(['s1', 's1']);
  model.set('template', 'gone');
  model.set('session_id', 's2');
  await settled();
  expect(asked.at(-1)).toBe('s2');
  expect(model.get('files')).toHaveLength(1);
  await model.close();
});

it('says that the server does not know the kernel’s session', async () => {
  const { view, el, model } = made({
    getSession: async () => {
      throw new Problem({ code: 'session-not-found', detail: '', status: 404 });
    }
  });
  view.render();
  await settled();
  expect(el.textContent).toContain('does not know the session');
  await model.close();
});
