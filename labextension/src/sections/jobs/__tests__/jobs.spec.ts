import type { Job, JobList, LogChunk } from '../../../api/types';
import { Problem } from '../../../problem';
import { loadText } from '../../../text';
import { JobModel } from '../jobmodel';
import { LogBuffer } from '../logbuffer';
import { elapsedOf, isEnded, JobsModel } from '../model';
import { reasonWords } from '../reasons';

function job(id: string, state = 'RUNNING', more: Partial<Job> = {}): Job {
  return {
    job_id: id,
    run_id: `run-${id}`,
    name: `job ${id}`,
    state,
    raw_state: state,
    user: 'me',
    submitted_at: '2026-01-01T00:00:00Z',
    cluster: 'c',
    workdir: '/w',
    ...more
  };
}

function listModel(...lists: Array<Partial<JobList> | Problem>) {
  const model = new JobsModel({
    client: {
      listJobs: async () => {
        const next = lists.length > 1 ? lists.shift()! : lists[0];
        if (next instanceof Problem) {
          throw next;
        }
        return {
          jobs: [],
          total: next.jobs?.length ?? 0,
          next_cursor: null,
          seen_at: null,
          stale: null,
          ...next
        };
      },
      cancelJob: async id => job(id, 'CANCELLED')
    },
    now: () => 1000
  });
  const ended: string[] = [];
  model.ended.connect((_, { job_id }) => ended.push(job_id));
  return { model, ended };
}

describe('JobsModel', () => {
  it('tells when a job ends, once, whoever says so', async () => {
    const { model, ended } = listModel(
      { jobs: [job('2'), job('1')] },
      { jobs: [job('2', 'FAILED'), job('1')] }
    );
    await model.refresh();
    expect(model.active).toHaveLength(2);
    await model.refresh();
    expect(ended).toEqual(['2']);
    model.onEvent({
      type: 'job_update',
      channel: 'jobs',
      job: job('1', 'COMPLETED')
    });
    model.onEvent({
      type: 'job_update',
      channel: 'jobs',
      job: job('1', 'COMPLETED')
    });
    expect(ended).toEqual(['2', '1']);
    expect(model.find('1')?.job.state).toBe('COMPLETED');
  });

  it('puts a new job first, and one known in its place', async () => {
    const { model } = listModel({ jobs: [job('1')] });
    await model.refresh();
    model.put(job('2', 'PENDING'));
    model.put(job('1', 'COMPLETED'));
    expect(model.rows.map(row => row.job.job_id)).toEqual(['2', '1']);
    expect(model.total).toBe(2);
  });

  it('keeps the list when the server does not answer', async () => {
    const { model } = listModel(
      { jobs: [job('1')] },
      new Problem({ code: 'network' })
    );
    await model.refresh();
    await model.refresh();
    expect(model.rows).toHaveLength(1);
    expect(model.error).toMatchObject({ code: 'network' });
  });

  it('knows how old its knowledge is', () => {
    const { model } = listModel({});
    model.onEvent({
      type: 'scheduler_state',
      channel: 'jobs',
      stale: 'timeout',
      seen_at: '2026-01-01T00:00:00Z'
    });
    expect(model.stale).toBe('timeout');
    model.onEvent({ type: 'scan_started', channel: 'images' });
    expect(model.seenAt).toBe('2026-01-01T00:00:00Z');
  });

  it('looks again for events it does not know, and polls while needed', async () => {
    jest.useFakeTimers();
    const { model } = listModel({ jobs: [job('1')] });
    model.onEvent({ type: 'job_submitted', channel: 'jobs' });
    await jest.advanceTimersByTimeAsync(0);
    expect(model.loaded).toBe(true);
    const { version } = model;
    const stop = model.poll(() => true);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(model.version).toBeGreaterThan(version);
    stop();
    jest.useRealTimers();
  });

  it('cancels', async () => {
    const { model, ended } = listModel({ jobs: [job('1')] });
    await model.refresh();
    await model.cancel('1');
    expect(ended).toEqual(['1']);
  });
});

it('lets clocks go on between two answers', () => {
  const heardAt = 10_000;
  const at = (more: Partial<Job>, state = 'RUNNING') =>
    elapsedOf({ job: job('1', state, more), heardAt }, 15_000);
  expect(at({ elapsed: 7 })).toBe(12);
  expect(at({ started_at: new Date(5000).toISOString() })).toBe(10);
  expect(at({})).toBeNull();
  expect(at({ elapsed: 7 }, 'COMPLETED')).toBe(7);
  expect(
    at(
      {
        started_at: '2026-01-01T00:00:00Z',
        ended_at: '2026-01-01T00:01:00Z'
      },
      'FAILED'
    )
  ).toBe(60);
  expect(isEnded(job('1', 'SUBMITTING'))).toBe(false);
});

it('has words for why a job waits', () => {
  const trans = loadText();
  const reasons =
    'Resources Priority Dependency DependencyNeverSatisfied BeginTime JobHeldUser JobHeldAdmin PartitionTimeLimit PartitionNodeLimit PartitionDown PartitionInactive NodeDown Licenses Reservation JobArrayTaskLimit Cleaning QOSMaxJobsPerUserLimit AssocGrpCpuLimit ReqNodeNotAvail'.split(
      ' '
    );
  const words = reasons.map(reason => reasonWords(trans, reason));
  expect(words.every(word => / /.test(word))).toBe(true);
  expect(new Set(words).size).toBe(reasons.length);
  expect(reasonWords(trans, 'None')).toBe('');
  expect(reasonWords(trans, '(SomethingNew)')).toBe('SomethingNew');
  expect(
    reasonWords(trans, 'launch failed requeued held').length
  ).toBeGreaterThan(10);
});

describe('LogBuffer', () => {
  const textOf = (...pieces: string[]) => {
    const buffer = new LogBuffer();
    pieces.forEach(piece => buffer.append(piece));
    return buffer.blocks.map(({ text }) => text).join('');
  };

  it('joins pieces wherever they were cut', () => {
    expect(textOf('a\nb', 'c\n', 'd')).toBe('a\nbc\nd');
    expect(new LogBuffer().empty).toBe(true);
  });

  it('drops colours, also when a sequence is cut', () => {
    expect(textOf('\u001b[31mred\u001b[0m\n')).toBe('red\n');
    expect(textOf('x\u001b[3', '1mred')).toBe('xred');
    expect(textOf('\u001b]0;title\u0007y')).toBe('y');
  });

  it('lets a progress bar write its line anew', () => {
    expect(textOf('10%\r20%', '\r30%')).toBe('30%');
    expect(textOf('10%\r100%\nnext')).toBe('100%\nnext');
    expect(textOf('windows\r\nline\r\n')).toBe('windows\nline\n');
    expect(textOf('cut\r', '\nnext')).toBe('cut\nnext');
  });

  it('keeps full blocks as they are, and the last lines only', () => {
    const buffer = new LogBuffer();
    buffer.append('line\n'.repeat(450));
    const [first] = buffer.blocks;
    buffer.append('more\n'.repeat(10));
    expect(buffer.blocks[0]).toBe(first);
    expect(buffer.blocks).toHaveLength(3);
    buffer.append('x\n'.repeat(30_000));
    expect(buffer.dropped).toBeGreaterThan(10_000);
  });
});

describe('JobModel', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const PIECE: LogChunk = {
    stream: 'out',
    offset: 0,
    next_offset: 0,
    size: 0,
    text: '',
    complete: false
  };

  function setup(
    pieces: Array<Partial<LogChunk> | Problem>,
    state = 'RUNNING'
  ) {
    const asked: Array<[string, number]> = [];
    const client: JobModel.IClient = {
      getJob: async id => job(id, state),
      cancelJob: async id => job(id, 'CANCELLED'),
      readLog: async (_, stream, offset) => {
        asked.push([stream, offset]);
        const next = pieces.length > 1 ? pieces.shift()! : pieces[0];
        if (next instanceof Problem) {
          throw next;
        }
        return { ...PIECE, stream, ...next };
      },
      listJobFiles: async () => ({
        files: [],
        total: 0,
        workdir: '/w',
        truncated: false
      }),
      getJobScript: async () => '#!/bin/bash',
      readJobFile: async () => new Blob(['x'])
    };
    return { asked, client, model: new JobModel({ id: '1', client }) };
  }

  const textOf = (model: JobModel) =>
    model.log.buffer.blocks.map(({ text }) => text).join('');

  it('reads on from where it was until the log is complete', async () => {
    const { model, asked } = setup([
      { text: 'one\n', next_offset: 4, size: 4 },
      { text: 'two\n', offset: 4, next_offset: 8, size: 8 },
      { text: '', offset: 8, next_offset: 8, size: 8, complete: true }
    ]);
    model.follow(true);
    await jest.advanceTimersByTimeAsync(5000);
    expect(textOf(model)).toBe('one\ntwo\n');
    expect(asked.map(([, offset]) => offset)).toEqual([-524288, 4, 8]);
    expect(model.log.complete).toBe(true);
    model.dispose();
  });

  it('does not wait while it is behind', async () => {
    const { model, asked } = setup([
      { text: 'a', next_offset: 1, size: 3 },
      { text: 'b', offset: 1, next_offset: 2, size: 3 },
      { text: 'c', offset: 2, next_offset: 3, size: 3 }
    ]);
    model.follow(true);
    await jest.advanceTimersByTimeAsync(10);
    expect(asked).toHaveLength(3);
    model.follow(false);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(asked).toHaveLength(3);
    model.dispose();
  });

  it('reads the other stream when asked, each from its own place', async () => {
    const { model, asked } = setup([{ text: 'x', next_offset: 1, size: 1 }]);
    model.follow(true);
    await jest.advanceTimersByTimeAsync(0);
    model.setStream('err');
    await jest.advanceTimersByTimeAsync(0);
    expect(asked.map(([stream]) => stream)).toEqual(['out', 'err']);
    model.dispose();
  });

  it('begins anew when the job was started again, and says where it begins', async () => {
    const { model } = setup([
      { text: 'old', offset: 100, next_offset: 103, size: 103 },
      { text: 'new', offset: 0, next_offset: 3, size: 3 }
    ]);
    await model.readOn();
    expect(model.log.skipped).toBe(100);
    await model.readOn();
    expect(textOf(model)).toBe('new');
    expect(model.log.skipped).toBe(0);
  });

  it('goes on after an answer that failed', async () => {
    const { model } = setup([
      new Problem({ code: 'network' }),
      { text: 'x', next_offset: 1, size: 1 }
    ]);
    model.follow(true);
    await jest.advanceTimersByTimeAsync(0);
    expect(model.log.error).toMatchObject({ code: 'network' });
    await jest.advanceTimersByTimeAsync(1000);
    expect(model.log.error).toBeNull();
    expect(textOf(model)).toBe('x');
    model.dispose();
  });

  it('is patient with a job that waits', async () => {
    const { model, asked } = setup([{}], 'PENDING');
    model.follow(true);
    await jest.advanceTimersByTimeAsync(2900);
    expect(asked).toHaveLength(1);
    model.dispose();
  });

  it('cancels, and says when that failed', async () => {
    const { model, client } = setup([{}]);
    await model.refresh();
    client.cancelJob = async () => {
      throw new Problem({ code: 'scheduler-unavailable', status: 503 });
    };
    await model.cancel();
    expect(model.cancelling).toBe(false);
    expect(model.error).toMatchObject({ code: 'scheduler-unavailable' });
    client.cancelJob = async id => job(id, 'CANCELLED');
    await model.cancel();
    expect(model.ended).toBe(true);
  });

  it('loads files and script, and the files again at the end', async () => {
    const { model, client } = setup([{}]);
    let lists = 0;
    const list = client.listJobFiles;
    client.listJobFiles = async id => {
      lists += 1;
      return list(id);
    };
    await model.refresh();
    await model.loadFiles();
    await model.loadScript();
    await model.loadScript();
    expect(model.script).toBe('#!/bin/bash');
    expect((await model.readFile('a')).size).toBe(1);
    model.put(job('1', 'COMPLETED'));
    await jest.advanceTimersByTimeAsync(0);
    expect(lists).toBe(2);
  });

  it('says what could not be had', async () => {
    const { model, client } = setup([{}]);
    const fail = async () => {
      throw new Problem({ code: 'job-not-found', status: 404 });
    };
    Object.assign(client, {
      getJob: fail,
      listJobFiles: fail,
      getJobScript: fail
    });
    await model.refresh();
    await model.loadFiles();
    await model.loadScript();
    for (const error of [model.error, model.filesError, model.scriptError]) {
      expect(error).toMatchObject({ code: 'job-not-found' });
    }
  });
});
