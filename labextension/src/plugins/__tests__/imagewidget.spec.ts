import { nullTranslator } from '@jupyterlab/translation';

import { click, press } from '../../components/__tests__/render';
import { widgetClasses, widgets } from '../imagewidget';

jest.mock('@jupyter-widgets/base', () => ({
  DOMWidgetModel: class {},
  DOMWidgetView: class {},
  IJupyterWidgetRegistry: 'the registry'
}));

const ROW = {
  id: 'i1',
  name: 'tools.sif',
  path: '/opt/tools.sif',
  nodes: ['n1'],
  partitions: ['cpu'],
  type: 'compute',
  size: 1,
  version: '1',
  description: '',
  labels: {},
  apps: [],
  signature: 'unsigned',
  family: 'tools',
  problem: null,
  is_active: true
};

/** As much of @jupyter-widgets/base as a view needs. */
class Model {
  constructor(private readonly _state: Record<string, unknown>) {}

  defaults() {
    return { _view_count: null };
  }

  get(name: string) {
    return this._state[name];
  }

  set(name: string, value: unknown) {
    this._state[name] = value;
    this.listener?.();
  }

  listener?: () => void;
}

class View {
  constructor(
    readonly model: Model,
    readonly el: HTMLElement
  ) {}

  displayed = Promise.resolve();
  touched = 0;

  render() {}

  listenTo(model: Model, _event: string, listener: () => void) {
    model.listener = listener;
  }

  touch() {
    this.touched += 1;
  }

  remove() {
    return this;
  }
}

it('is the panel’s field, in step with the kernel', async () => {
  const { ImagePickerView, ImagePickerModel } = widgetClasses(
    { DOMWidgetModel: Model, DOMWidgetView: View } as never,
    nullTranslator
  );
  const made = ImagePickerModel as unknown as typeof Model;
  expect(new made({}).defaults()).toMatchObject({
    _view_module: 'jupyter-slurmdash',
    _view_name: 'ImagePickerView',
    value: ''
  });
  const model = new Model({
    images: [ROW],
    value: '',
    recent: [],
    partition: '',
    description: 'Which one',
    disabled: false
  });
  const el = document.createElement('div');
  document.body.append(el);
  const view = new (ImagePickerView as unknown as typeof View)(model, el);
  view.render();
  await view.displayed;
  await new Promise(done => setTimeout(done, 50));
  const box = el.querySelector<HTMLInputElement>('input')!;
  expect(el.textContent).toContain('Which one');
  expect(el.dataset.lmSuppressShortcuts).toBe('true');
  click(box);
  press(box, 'Enter');
  expect(model.get('value')).toBe('i1');
  expect(view.touched).toBe(1);
  expect(box.value).toBe('tools.sif');
  view.remove();
  expect(el.querySelector('input')).toBeNull();
});

it('is registered where there are widgets', async () => {
  const registered: string[] = [];
  const app = {
    serviceManager: { serverSettings: {} },
    resolveOptionalService: async (token: unknown) => ({
      registerWidget: ({ name }: { name: string }) =>
        registered.push(`${name} in ${String(token)}`)
    })
  };
  await widgets.activate(app as never, null, null);
  expect(registered).toEqual(['jupyter-slurmdash in the registry']);
  await widgets.activate(
    { resolveOptionalService: async () => null } as never,
    null
  );
});
