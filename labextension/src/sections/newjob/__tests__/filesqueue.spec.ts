import { Problem } from '../../../problem';
import { add, setup, small } from './filesmodel';
import { reading, settle } from './fakes';

const problem = (code: string, status: number) => new Problem({ code, status });

describe('a form that is refused', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const some = (count: number) =>
    Array.from({ length: count }, (_, at) => small(`s${at}`));

  it('is sent in halves without what was taken out meanwhile', async () => {
    const { server, uploader, files } = setup();
    await add(files, some(8));
    uploader.forms[0].target.onError(problem('invalid-input', 400));
    await reading();
    uploader.forms[1].target.onError(problem('invalid-input', 400));
    await reading();
    const sent = uploader.forms.length;
    const waiting = files.rows.filter(({ state }) => state === 'queued');
    expect(waiting.map(({ name }) => name)).toEqual(['s2', 's3']);
    await files.remove([waiting[1].key]);
    uploader.forms.slice(2).forEach(form => server.takeForm(form));
    await reading();
    expect(
      uploader.forms
        .slice(sent)
        .flatMap(({ form }) => form.files.map(({ name }) => name))
    ).toEqual(['s2']);
  });

  it('is sent in halves when one of its files cannot be read', async () => {
    const { uploader, files } = setup();
    await add(files, some(2));
    for (let at = 0; at < uploader.forms.length; at++) {
      uploader.forms[at].target.onError(problem('unreadable', 0));
      await reading();
    }
    expect(
      uploader.forms.map(({ form }) => form.files.map(({ name }) => name))
    ).toEqual([['s0', 's1'], ['s0'], ['s1']]);
    expect(files.totals.failed).toBe(2);
  });

  it('is sent in halves that go to one slot each', async () => {
    const { uploader, files } = setup();
    await add(files, some(8));
    for (const at of [0, 1]) {
      uploader.forms[at].target.onError(problem('invalid-input', 400));
      await reading();
    }
    await files.setSlot(files.rows[2].key, 'script');
    uploader.forms[2].target.onError(problem('forbidden', 403));
    await reading();
    const sent = uploader.forms
      .slice(4)
      .map(({ form }) => [form.slot, ...form.files.map(({ name }) => name)]);
    expect(sent).toEqual([['script', 's2']]);
  });

  it.each([
    ['forbidden', 403],
    ['session-not-found', 404],
    ['session-expired', 410],
    ['storage-failed', 500],
    ['no-space', 507]
  ])('as a whole (%s) fails as a whole', async (code, status) => {
    const { server, uploader, files } = setup();
    await add(files, some(100));
    const why = problem(code, status);
    const isGone = status === 404 || status === 410;
    if (isGone) {
      server.session = null;
    }
    uploader.forms[0].target.onError(why);
    await settle();
    await reading();
    expect(uploader.forms).toHaveLength(1);
    expect(files.totals.failed).toBe(100);
    expect(files.rows[0].error).toBe(why);
    // One that is gone makes place for the next try.
    expect(files.sessionId).toBe(isGone ? null : 's1');
    files.resume();
    await reading();
    expect(uploader.forms[1].form.files).toHaveLength(100);
    expect(uploader.forms[1].target.sessionId).toBe(isGone ? 's2' : 's1');
  });

  it('before it was sent is not about one of its files', async () => {
    const { server, files } = setup();
    await add(files, some(8));
    files.pause();
    server.session = null;
    await files.refresh();
    let asked = 0;
    server.client.createSession = async () => {
      asked += 1;
      throw problem('invalid-input', 400);
    };
    files.resume();
    await reading();
    expect(asked).toBe(1);
    expect(files.totals.failed).toBe(8);
  });
});
