import type { Limits, Preview } from '../../../api/types';
import { Problem } from '../../../problem';
import { NewJobModel } from '../model';
import type { IStored } from '../store';
import {
  Cluster,
  FakeServer,
  FakeUploader,
  image,
  job,
  settle,
  Source,
  summary
} from './fakes';

function setup(stored: unknown = null) {
  const server = new FakeServer();
  const uploader = new FakeUploader();
  const saved: IStored[] = [];
  let keys = 0;
  const model = new NewJobModel({
    client: server.client,
    uploader,
    templates: new Source([summary('python-script-v1'), summary('other-v1')]),
    images: new Source([image('i1', 'torch.sif'), image('i2', 'other.sif')]),
    cluster: new Cluster(),
    store: {
      load: async () => stored,
      save: value => void saved.push(structuredClone(value))
    },
    newKey: () => `key-${++keys}`,
    sleep: async () => undefined
  });
  return { server, uploader, model, saved };
}

const REFUSAL = new Problem({
  code: 'checks-failed',
  status: 422,
  detail: 'No.',
  errors: [{ pointer: '/time', message: 'Too long.' }]
});

/** What the server makes of any edit here. */
const EDITED: Preview = {
  script: 'generated\nmine\n',
  generated: 'generated\n',
  origins: ['/options/mem', '/edit'],
  read_back: { mem: '2G' },
  conflicts: [],
  checks: [],
  ready: true
};

const LIMITS: Limits = {
  partition: 'gpu',
  accounts: ['research'],
  default_account: 'research',
  qos: ['normal', 'short'],
  default_qos: 'normal',
  default_time: 600,
  bounds: { time: { maximum: 28800, source: 'partition gpu' } }
};

describe('NewJobModel', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('asks for the script once typing has paused', async () => {
    const { server, model } = setup();
    await model.selectTemplate('other-v1');
    await settle();
    server.previewed = [];
    model.setOption('mem', '1');
    model.setOption('mem', '16G');
    await settle(200);
    expect(server.previewed).toEqual([]);
    await settle(60);
    expect(server.previewed).toHaveLength(1);
    expect(server.previewed[0].options).toEqual({ mem: '16G' });
    expect(model.script).toBe('#!/bin/bash');
    expect(model.canSubmit).toBe(true);
  });

  it('takes the latest answer only', async () => {
    const { server, model } = setup();
    const answers: Array<(script: string) => void> = [];
    server.client.previewJob = () =>
      new Promise(done =>
        answers.push(script => done({ script, checks: [], ready: true }))
      );
    await model.selectTemplate('other-v1');
    await settle();
    model.setJobName('b');
    await settle();
    answers[1]('second');
    answers[0]('first');
    await settle();
    expect(model.script).toBe('second');
  });

  it('collects what is to be done in the order of the form, each once', async () => {
    const { server, model } = setup();
    const check = (level: 'error' | 'warning', pointer: string) => ({
      name: 'x',
      level,
      message: `at ${pointer}`,
      pointer
    });
    server.preview = {
      script: '',
      ready: false,
      checks: [
        check('warning', '/image_id'),
        check('error', '/partition'),
        check('error', '/options/partition'),
        check('error', '/files/script'),
        { ...check('error', '/x'), level: 'ok' }
      ]
    };
    await model.selectTemplate('other-v1');
    await settle();
    expect(model.findings.map(({ pointer }) => pointer)).toEqual([
      '/files/script',
      '/options/partition',
      '/options/partition',
      '/image_id'
    ]);
    expect(model.messages('error').get('/files/script')).toBe(
      'at /files/script'
    );
    expect(model.messages('warning').has('/image_id')).toBe(true);
    expect(model.canSubmit).toBe(false);
    expect(await model.submit()).toBeNull();
    expect(server.submissions).toEqual([]);
  });

  it('keeps the last script while the form has faults', async () => {
    const { server, model } = setup();
    await model.selectTemplate('other-v1');
    await settle();
    server.preview = new Problem({ code: 'network' });
    model.setJobName('x');
    await settle();
    expect(model.script).toBe('#!/bin/bash');
    expect(model.previewError).toBe(server.preview);
    expect(model.canSubmit).toBe(false);
  });

  it('submits, tells it, and takes a new key for the next job', async () => {
    const { server, model } = setup();
    const told: string[] = [];
    model.jobSubmitted.connect((_, { job_id }) => told.push(job_id));
    await model.selectTemplate('other-v1');
    await settle();
    const { key } = model.draft;
    expect((await model.submit())?.job_id).toBe('1');
    expect(server.submissions[0].key).toBe(key);
    expect(model.draft.key).not.toBe(key);
    expect(model.draft.templateId).toBe('other-v1');
    expect(told).toEqual(['1']);
    model.setJobName('next');
    expect(model.submitted).toBeNull();
  });

  it('asks again with the same key when the answer is lost', async () => {
    const { server, model } = setup();
    const lost = new Problem({ code: 'network' });
    server.submitAnswers = [lost, lost, job('9')];
    await model.selectTemplate('other-v1');
    await settle();
    expect((await model.submit())?.job_id).toBe('9');
    expect(new Set(server.submissions.map(({ key }) => key)).size).toBe(1);
    expect(server.submissions).toHaveLength(3);
  });

  it('gives up in the end, and keeps the key: the job may be there', async () => {
    const { server, model } = setup();
    server.submitAnswers = [new Problem({ code: 'network' })];
    await model.selectTemplate('other-v1');
    await settle();
    const { key } = model.draft;
    expect(await model.submit()).toBeNull();
    expect(model.submitError).toMatchObject({ code: 'network' });
    model.setJobName('changed');
    expect(model.draft.key).toBe(key);
  });

  it('places a refusal at its field, and takes a new key once the form changed', async () => {
    const { server, model } = setup();
    server.submitAnswers = [REFUSAL];
    await model.selectTemplate('other-v1');
    await settle();
    const { key } = model.draft;
    await model.submit();
    expect(model.messages('error').get('/options/time')).toBe('Too long.');
    expect(model.draft.key).toBe(key);
    model.setOption('time', '1:00');
    expect(model.draft.key).not.toBe(key);
    expect(model.submitError).toBeNull();
  });

  it('waits for uploads, and looks again when they are there', async () => {
    const { server, uploader, model } = setup();
    await model.selectTemplate('other-v1');
    await model.files.add([new File(['x'], 'a.py')]);
    await settle();
    expect(model.draft.sessionId).toBe('s1');
    expect(model.canSubmit).toBe(false);
    const { length } = server.previewed;
    server.takeForm(uploader.forms[0]);
    await settle(1000);
    expect(server.previewed.length).toBeGreaterThan(length);
    expect(server.previewed.at(-1)?.session_id).toBe('s1');
    expect(model.canSubmit).toBe(true);
  });

  it('restores everything after a reload', async () => {
    const first = setup();
    await first.model.selectTemplate('other-v1');
    first.model.selectImage('i2');
    first.model.setApp('train');
    first.model.setParameter('rate', '0.5');
    first.model.setOption('mem', '2G');
    await first.model.files.add([new File(['x'], 'a.py')]);
    await settle();
    const second = setup(first.saved.at(-1));
    second.server.session = first.server.session;
    await second.model.restore();
    await settle();
    expect(second.model.draft).toEqual(first.model.draft);
    expect(second.model.template?.id).toBe('other-v1');
    expect(second.model.files.sessionId).toBe('s1');
    expect(second.model.recentImages).toEqual(['i2']);
    expect(second.model.image?.name).toBe('other.sif');
    expect(second.model.script).toBe('#!/bin/bash');
  });

  it('forgets a session that is gone, and survives a store that fails', async () => {
    const { model } = setup({ draft: { templateId: 't', sessionId: 'old' } });
    await model.restore();
    await settle();
    expect(model.draft.sessionId).toBeNull();
    const broken = setup();
    (
      broken.model as unknown as { _store: { load: () => Promise<never> } }
    )._store.load = () => Promise.reject(new Error('no'));
    await broken.model.restore();
    expect(broken.model.isEmpty).toBe(true);
  });

  it('does not write over what was typed while it was restoring', async () => {
    const { model } = setup({ draft: { jobName: 'old' } });
    const restoring = model.restore();
    model.setJobName('new');
    await restoring;
    expect(model.draft.jobName).toBe('new');
  });

  it('starts afresh and undoes it', async () => {
    const { model } = setup();
    await model.selectTemplate('other-v1');
    model.setJobName('mine');
    await settle();
    model.startAfresh();
    await settle();
    expect(model.isEmpty).toBe(true);
    expect(model.script).toBe('');
    await model.undo();
    await settle();
    expect(model.draft.jobName).toBe('mine');
    expect(model.template?.id).toBe('other-v1');
    expect(model.putAway).toBeNull();
  });

  it("knows the template's own image and the partition", async () => {
    const { model } = setup();
    await model.selectTemplate('other-v1');
    expect(model.templateImage?.id).toBe('i1');
    expect(model.apps).toEqual(['train']);
    expect(model.partition?.name).toBe('gpu');
  });

  it('says when a template cannot be had', async () => {
    const { model } = setup();
    await model.selectTemplate('missing');
    expect(model.templateError).toMatchObject({ code: 'template-not-found' });
    model.onEvent({ type: 'templates_changed', channel: 'templates' });
    await settle();
    expect(model.template).toBeNull();
  });

  it('keeps the fields and what is typed in them when the template cannot be looked at again', async () => {
    const { server, model } = setup();
    await model.selectTemplate('other-v1');
    model.setParameter('rate', '0.5');
    await settle();
    const { getTemplate } = server.client;
    const away = new Problem({ code: 'network' });
    server.client.getTemplate = () => Promise.reject(away);
    model.onEvent({ type: 'templates_changed', channel: 'templates' });
    await settle();
    expect([model.template?.id, model.templateError]).toEqual([
      'other-v1',
      away
    ]);
    expect(server.previewed.at(-1)?.parameters).toEqual({ rate: 0.5 });
    await model.submit();
    expect(server.submissions[0].body.parameters).toEqual({ rate: 0.5 });
    server.client.getTemplate = getTemplate;
    model.refresh();
    await settle();
    expect(model.templateError).toBeNull();
  });

  it('submits nothing of a template whose fields are not known, and asks for them again', async () => {
    const { server, model } = setup({
      draft: { templateId: 'other-v1', parameters: { rate: '0.5' } }
    });
    const { getTemplate } = server.client;
    server.client.getTemplate = () =>
      Promise.reject(new Problem({ code: 'network' }));
    await model.restore();
    await settle();
    expect([model.canSubmit, model.lacksTemplate]).toEqual([false, true]);
    expect(await model.submit()).toBeNull();
    expect(server.submissions).toEqual([]);
    server.client.getTemplate = getTemplate;
    model.refresh();
    await settle();
    expect([model.canSubmit, model.lacksTemplate]).toEqual([true, false]);
    expect(server.previewed.at(-1)?.parameters).toEqual({ rate: 0.5 });
    model.startAfresh();
    expect(model.lacksTemplate).toBe(false);
  });

  it('does not take the fields of one template for those of another that is still to come', async () => {
    const { server, model } = setup();
    await model.selectTemplate('other-v1');
    await settle();
    const { getTemplate } = server.client;
    let come: () => void = () => undefined;
    server.client.getTemplate = async id => {
      await new Promise<void>(done => (come = done));
      return getTemplate(id);
    };
    const selecting = model.selectTemplate('python-script-v1');
    model.setParameter('rate', '0.5');
    await settle();
    expect([model.lacksTemplate, model.canSubmit]).toEqual([true, false]);
    expect(await model.submit()).toBeNull();
    come();
    await selecting;
    await settle();
    expect([model.template?.id, model.canSubmit]).toEqual([
      'python-script-v1',
      true
    ]);
    expect(server.previewed.at(-1)?.parameters).toEqual({ rate: 0.5 });
  });

  it('fills in the example with a file of its own, once', async () => {
    const { server, uploader, model } = setup();
    await model.tryExample();
    expect(model.draft.templateId).toBe('python-script-v1');
    await settle();
    expect(uploader.forms[0].form.files[0].name).toBe('example.py');
    expect(uploader.forms[0].form.slot).toBe('script');
    server.validation.slots = [{ name: 'script', state: 'ok', file: 'x' }];
    await model.files.refresh();
    await settle();
    await model.tryExample();
    expect(uploader.forms).toHaveLength(1);
  });

  it('passes on who wants the focus', () => {
    const { model } = setup();
    const asked: string[] = [];
    model.focusAsked.connect((_, pointer) => asked.push(pointer));
    model.askFocus('/job_name');
    expect(asked).toEqual(['/job_name']);
  });

  it('reads back what is typed in the script, and leaves the text alone until the typing is over', async () => {
    const { server, model, saved } = setup();
    await model.selectTemplate('other-v1');
    await settle();
    server.preview = EDITED;
    model.editor.type('typed\n');
    expect(model.script).toBe('typed\n');
    await settle();
    expect(server.previewed.at(-1)?.edit).toEqual({
      base: '#!/bin/bash',
      text: 'typed\n'
    });
    expect(model.draft.options.mem).toBe('2G');
    expect(model.script).toBe('typed\n');
    expect(model.editor.isCurrent).toBe(false);
    expect(saved.at(-1)?.draft.edit?.text).toBe('typed\n');
    model.editor.leave();
    expect(model.script).toBe('generated\nmine\n');
    expect(model.editor.isCurrent).toBe(true);
    expect(saved.at(-1)?.draft.edit?.base).toBe('generated\n');
  });

  it('lets a field win that was set before the typed script was read', async () => {
    const { server, model } = setup();
    await model.selectTemplate('other-v1');
    await settle();
    server.preview = EDITED;
    model.editor.type('typed\n');
    model.editor.leave();
    model.setOption('mem', '9G');
    const { length } = server.previewed;
    await settle(1000);
    expect(model.draft.options.mem).toBe('9G');
    expect(
      server.previewed.slice(length).map(({ options }) => options?.mem)
    ).toEqual([undefined, '9G']);
    expect(server.previewed.at(-1)?.edit).toEqual({
      base: 'generated\n',
      text: 'generated\nmine\n'
    });
  });

  it('submits the script in sight, not one of a moment ago', async () => {
    const { server, model } = setup();
    await model.selectTemplate('other-v1');
    await settle();
    server.preview = EDITED;
    model.editor.type('typed\n');
    await model.submit();
    expect(model.script).toBe('generated\nmine\n');
    expect(server.submissions[0].body.edit).toEqual({
      base: 'generated\n',
      text: 'generated\nmine\n'
    });
  });

  it('keeps what was typed when it cannot be submitted, and does not submit it', async () => {
    const { server, model } = setup();
    await model.selectTemplate('other-v1');
    await settle();
    server.preview = {
      script: '',
      ready: false,
      checks: [
        {
          name: 'invalid-input',
          level: 'error',
          message: '--wrap cannot stand in a script here.',
          pointer: '/edit/text'
        }
      ]
    };
    model.editor.type('#SBATCH --wrap=x\n');
    model.editor.leave();
    await settle();
    expect(model.script).toBe('#SBATCH --wrap=x\n');
    expect(await model.submit()).toBeNull();
    expect(model.errors).toHaveLength(1);
    expect(server.submissions).toEqual([]);
  });

  it('goes back to the generated script at once, and undoes it', async () => {
    const { server, model } = setup();
    await model.selectTemplate('other-v1');
    await settle();
    server.preview = EDITED;
    model.editor.type('typed\n');
    model.editor.leave();
    await settle();
    const { edit } = model.draft;
    model.editor.drop();
    expect(model.script).toBe('generated\n');
    expect(model.draft.dropped).toEqual(edit);
    await settle();
    model.editor.undo();
    expect(model.draft.edit).toEqual(edit);
    expect(model.draft.dropped).toBeNull();
  });

  it('asks what to do where form and hand differ, and says so once', async () => {
    const { server, model } = setup();
    await model.selectTemplate('other-v1');
    await settle();
    server.preview = {
      ...EDITED,
      conflicts: [{ line: 2, kept: ['mine'], other: ['generated'] }],
      checks: [
        {
          name: 'edit-conflict',
          level: 'warning',
          message: 'Line 2 is yours.',
          pointer: '/edit/text'
        }
      ]
    };
    model.editor.type('typed\n');
    model.editor.leave();
    await settle();
    server.preview = { ...EDITED, read_back: {} };
    model.refresh();
    await settle();
    const [conflict] = model.draft.edit!.conflicts;
    expect(conflict.kept).toEqual(['mine']);
    expect(model.findings).toEqual([
      {
        level: 'warning',
        message:
          'Line 2 of the script: yours and the form’s differ. Choose one.',
        pointer: '/edit/conflicts'
      }
    ]);
    model.editor.answer(conflict, 'form');
    expect(model.script).toBe('generated\ngenerated\n');
    expect(model.draft.edit!.conflicts).toEqual([]);
  });

  it('checks against the limits while one types; then the server has the last word', async () => {
    const { server, model } = setup();
    server.limits.gpu = LIMITS;
    await model.selectTemplate('other-v1');
    await settle();
    expect(server.limitsAsked).toEqual(['gpu']);
    model.setOption('time', '9:00:00');
    const words = 'Partition gpu allows at most 480 min.';
    expect(model.messages('error').get('/options/time')).toBe(words);
    const check = (name: string, message: string) => ({
      name,
      level: 'error' as const,
      message,
      pointer: `/options/${name}`
    });
    server.preview = {
      script: 'x',
      ready: false,
      checks: [
        check('time', 'in the server’s language'),
        check('qos', 'Not yours.')
      ]
    };
    await settle();
    expect(model.errors.map(({ message }) => message)).toEqual([
      words,
      'Not yours.'
    ]);
    model.setOption('time', '1:00:00');
    expect(model.errors).toEqual([]);
    server.preview = { script: 'x', ready: true, checks: [] };
    model.setOption('time', '9:00:00');
    await settle();
    expect(model.errors).toEqual([]);
  });

  it('asks for the limits of what is chosen', async () => {
    const { server, model } = setup();
    server.limits.cpu = LIMITS;
    await model.selectTemplate('other-v1');
    await settle();
    expect(model.limits.state).toBe('silent');
    model.setOption('partition', 'cpu');
    await settle(0);
    expect(model.limits.state).toBe('known');
    model.setOption('qos', 'short');
    await settle();
    expect(server.limitsAsked).toEqual(['gpu', 'cpu', 'cpu  short']);
    expect(model.draft.options.partition).toBe('cpu');
  });
});
