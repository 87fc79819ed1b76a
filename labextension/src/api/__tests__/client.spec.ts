import { ServerConnection } from '@jupyterlab/services';

import { Problem } from '../../problem';
import { problemOf, SlurmClient } from '../client';

interface IAnswer {
  status?: number;
  type?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

class FakeRequest {
  readonly headers: Headers;
  constructor(
    readonly url: string,
    readonly init: RequestInit
  ) {
    this.headers = new Headers(init.headers);
  }
}

/** A client whose requests are kept and answered in order; the last answer stays. */
function clientOf(...answers: Array<IAnswer | Error>) {
  const asked: FakeRequest[] = [];
  const fetch = async (request: unknown) => {
    asked.push(request as FakeRequest);
    const answer = answers.length > 1 ? answers.shift()! : answers[0];
    if (answer instanceof Error) {
      throw answer;
    }
    const { status = 200, type = 'application/json', body = {} } = answer;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return {
      ok: status < 400,
      status,
      headers: new Headers({ 'Content-Type': type, ...answer.headers }),
      json: async () => JSON.parse(text),
      text: async () => text,
      blob: async () => new Blob([text])
    };
  };
  const serverSettings = ServerConnection.makeSettings({
    baseUrl: 'http://hub/user/a/',
    wsUrl: 'ws://hub/user/a/',
    token: 'tok',
    fetch: fetch as unknown as typeof globalThis.fetch,
    Request: FakeRequest as unknown as typeof globalThis.Request
  });
  return { client: new SlurmClient({ serverSettings }), asked };
}

describe('SlurmClient', () => {
  it.each<[string, (c: SlurmClient) => Promise<unknown>, string, string]>([
    ['health', c => c.getHealth(), 'GET', 'api/health'],
    ['nodes', c => c.listNodes(), 'GET', 'api/nodes'],
    ['partitions', c => c.listPartitions(), 'GET', 'api/partitions'],
    ['images', c => c.listImages(), 'GET', 'api/apptainer/images?limit=5000'],
    [
      'metadata',
      c => c.getImageMetadata('a/b'),
      'GET',
      'api/apptainer/images/a%2Fb/metadata'
    ],
    ['scan', c => c.startScan(['n1']), 'POST', 'api/apptainer/scan'],
    ['a scan', c => c.getScan('s'), 'GET', 'api/apptainer/scan/s'],
    ['templates', c => c.listTemplates(), 'GET', 'api/v2/templates?limit=5000'],
    ['template', c => c.getTemplate('t'), 'GET', 'api/v2/templates/t'],
    ['rescan', c => c.rescanTemplates(), 'POST', 'api/v2/templates/scan'],
    ['session', c => c.createSession(null), 'POST', 'api/v2/upload/sessions'],
    ['a session', c => c.getSession('s'), 'GET', 'api/v2/upload/sessions/s'],
    [
      'no session',
      c => c.deleteSession('s'),
      'DELETE',
      'api/v2/upload/sessions/s'
    ],
    [
      'path',
      c => c.addPath('s', '/x'),
      'POST',
      'api/v2/upload/sessions/s/paths'
    ],
    [
      'file',
      c => c.updateFile('s', 'f', { slot: 'a' }),
      'PATCH',
      'api/v2/upload/sessions/s/files/f'
    ],
    [
      'no file',
      c => c.deleteFile('s', 'f'),
      'DELETE',
      'api/v2/upload/sessions/s/files/f'
    ],
    [
      'validate',
      c => c.validateSession('s', 't'),
      'POST',
      'api/v2/upload/sessions/s/validate'
    ],
    ['preview', c => c.previewJob({}), 'POST', 'api/jobs/preview'],
    ['jobs', c => c.listJobs(), 'GET', 'api/jobs?limit=200'],
    ['job', c => c.getJob('1_[2-3]'), 'GET', 'api/jobs/1_%5B2-3%5D'],
    ['cancel', c => c.cancelJob('1'), 'DELETE', 'api/jobs/1'],
    [
      'log',
      c => c.readLog('1', 'err', -5),
      'GET',
      'api/jobs/1/log?stream=err&offset=-5'
    ],
    ['files', c => c.listJobFiles('1'), 'GET', 'api/jobs/1/files'],
    [
      'a file',
      c => c.readJobFile('1', 'a b/#c'),
      'GET',
      'api/jobs/1/files/a%20b/%23c'
    ],
    ['script', c => c.getJobScript('1'), 'GET', 'api/jobs/1/script']
  ])('asks for %s where the contract has it', async (_, ask, method, path) => {
    const { client, asked } = clientOf({});
    await ask(client);
    expect(asked[0].url).toBe(`http://hub/user/a/slurmdash/${path}`);
    expect(asked[0].init.method).toBe(method);
    expect(asked[0].headers.get('Authorization')).toBe('token tok');
  });

  it('sends JSON as JSON, and the key that makes a submission happen once', async () => {
    const { client, asked } = clientOf({ status: 201, body: { job_id: '7' } });
    const job = await client.submitJob({ job_name: 'x' }, 'key-12345');
    expect(job.job_id).toBe('7');
    expect(asked[0].headers.get('Idempotency-Key')).toBe('key-12345');
    expect(asked[0].headers.get('Content-Type')).toBe('application/json');
    expect(asked[0].init.body).toBe('{"job_name":"x"}');
  });

  it('gives a problem document as a Problem', async () => {
    const errors = [{ pointer: '/options/time', message: 'Too long.' }];
    const { client } = clientOf({
      status: 422,
      type: 'application/problem+json; charset=UTF-8',
      headers: { 'Retry-After': '5' },
      body: {
        type: 'slurmdash:checks-failed',
        title: 'Not ready',
        detail: 'Mend it.',
        errors,
        request_id: 'r1'
      }
    });
    const error = await client.submitJob({}, 'key-12345').catch(e => e);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({
      code: 'checks-failed',
      status: 422,
      detail: 'Mend it.',
      errors,
      requestId: 'r1',
      retryAfter: 5
    });
  });

  it('tells a server without us from one that does not answer', async () => {
    const missing = clientOf({ status: 404, type: 'text/html', body: '<p>' });
    await expect(missing.client.getHealth()).rejects.toMatchObject({
      code: 'no-server-extension'
    });
    const silent = clientOf(new TypeError('failed'));
    await expect(silent.client.getHealth()).rejects.toMatchObject({
      code: 'network',
      status: 0
    });
  });

  it('knows its own abort from a failure', async () => {
    const { client } = clientOf(new TypeError('aborted'));
    const abort = new AbortController();
    abort.abort();
    await expect(client.previewJob({}, abort.signal)).rejects.toMatchObject({
      code: 'aborted'
    });
  });

  it('survives a problem document that is none', () => {
    expect(problemOf(500, 'application/problem+json', '{').code).toBe(
      'http-500'
    );
  });
});
