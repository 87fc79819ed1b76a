import {
  emptyDraft,
  optionText,
  partitionOf,
  toSubmission,
  withTemplate
} from '../draft';
import { Cluster, template } from './fakes';
import { restoreDraft } from '../store';

const DRAFT = emptyDraft('key');

describe('toSubmission', () => {
  it('sends only what the user set, as the contract wants it', () => {
    const draft = {
      ...DRAFT,
      templateId: 't',
      jobName: '  my job ',
      options: {
        nodes: '2',
        ntasks: 'x',
        mem: ' 8G ',
        gres: '2',
        time: '',
        qos: 'high'
      },
      parameters: { rate: '1e-3', on: true, unknown: 'x' }
    };
    expect(toSubmission(draft, template('t'))).toEqual({
      job_name: 'my job',
      template_id: 't',
      image_id: null,
      app: null,
      session_id: null,
      options: { nodes: 2, ntasks: 'x', mem: '8G', gres: 'gpu:2', qos: 'high' },
      parameters: { rate: 0.001, on: true }
    });
  });

  it('leaves out parameters that are empty, and all without a template', () => {
    const draft = { ...DRAFT, parameters: { rate: ' ' } };
    expect(toSubmission(draft, template('t')).parameters).toEqual({});
    expect(toSubmission(draft, null).parameters).toEqual({});
  });

  it('does not touch a named resource', () => {
    const draft = { ...DRAFT, options: { gres: 'gpu:a100:2' } };
    expect(toSubmission(draft, null).options).toEqual({ gres: 'gpu:a100:2' });
  });
});

it("shows the template's options until the user has others", () => {
  const it = template('t');
  expect(optionText(DRAFT, it, 'cpus_per_task')).toBe('8');
  expect(optionText(DRAFT, it, 'mem')).toBe('');
  expect(optionText({ ...DRAFT, options: { mem: '1G' } }, it, 'mem')).toBe(
    '1G'
  );
  expect(
    optionText(
      { ...DRAFT, options: { cpus_per_task: '' } },
      it,
      'cpus_per_task'
    )
  ).toBe('');
});

it('knows the partition that the job would go to', () => {
  const { partitions } = new Cluster();
  expect(partitionOf(DRAFT, null, partitions)?.name).toBe('cpu');
  expect(partitionOf(DRAFT, template('t'), partitions)?.name).toBe('gpu');
  const other = { ...DRAFT, options: { partition: 'gone' } };
  expect(partitionOf(other, null, partitions)).toBeNull();
});

describe('withTemplate', () => {
  it('keeps what was set for each template', () => {
    let draft = withTemplate(DRAFT, 'a');
    draft = { ...draft, jobName: 'one', options: { mem: '1G' } };
    draft = withTemplate(draft, 'b');
    expect(draft).toMatchObject({ jobName: '', options: {} });
    draft = withTemplate({ ...draft, jobName: 'two' }, 'a');
    expect(draft).toMatchObject({ jobName: 'one', options: { mem: '1G' } });
    expect(withTemplate(draft, 'b').jobName).toBe('two');
  });

  it('takes an image chosen first into the template', () => {
    const draft = withTemplate({ ...DRAFT, imageId: 'i' }, 'a');
    expect(draft.imageId).toBe('i');
    expect(withTemplate(draft, null).imageId).toBe('i');
  });

  it('forgets the oldest of very many', () => {
    let draft = DRAFT;
    for (let n = 0; n < 50; n++) {
      draft = withTemplate(draft, `t${n}`);
    }
    expect(Object.keys(draft.kept)).toHaveLength(30);
    expect(draft.kept.t48).toBeDefined();
  });
});

describe('restoreDraft', () => {
  it('gives back what was stored', () => {
    const draft = {
      ...withTemplate({ ...DRAFT, templateId: 'a', jobName: 'x' }, 'b'),
      sessionId: 's',
      parameters: { on: false, rate: '1' }
    };
    expect(restoreDraft(JSON.parse(JSON.stringify(draft)), 'new')).toEqual(
      draft
    );
  });

  it.each([null, 1, 'x', [], { options: 3, kept: { a: 1 }, jobName: 5 }])(
    'makes a draft of %j',
    value => {
      const draft = restoreDraft(value, 'new');
      expect(draft).toMatchObject({ key: 'new', jobName: '', options: {} });
    }
  );
});
