import { problemOf } from '../../../api/client';
import { Problem } from '../../../problem';
import { reading, settle } from './fakes';
import { add, BIG, big, setup, small } from './filesmodel';

const network = () => new Problem({ code: 'network' });

describe('FilesModel', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('makes one session for many files and sends three large ones at a time', async () => {
    const { server, uploader, files, finish } = setup();
    files.setTemplate('t');
    await add(
      files,
      ['a', 'b', 'c', 'd', 'e'].map(name => big(name))
    );
    expect(server.sessions).toBe(1);
    expect(server.session?.template_id).toBe('t');
    expect(uploader.uploads.map(({ target }) => target.name)).toEqual([
      'a',
      'b',
      'c'
    ]);
    expect(uploader.uploads[0].target).toMatchObject({
      tusUrl: '/tus/s1',
      fileId: null,
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/)
    });
    expect(files.pending).toBe(5);
    await finish(0);
    await reading();
    expect(uploader.uploads).toHaveLength(4);
    expect(files.pending).toBe(4);
    expect(files.rows.find(({ name }) => name === 'a')).toMatchObject({
      state: 'complete',
      local: false
    });
  });

  it('sends small files together, and takes what the server made of them', async () => {
    const { server, uploader, files, states } = setup();
    await add(
      files,
      Array.from({ length: 1200 }, (_, at) => small(`s${at}`))
    );
    expect(uploader.uploads).toHaveLength(0);
    expect(uploader.forms.map(({ form }) => form.files.length)).toEqual([
      500, 500
    ]);
    server.takeForm(uploader.forms[0]);
    await settle(0);
    expect(uploader.forms.map(({ form }) => form.files.length)).toEqual([
      500, 500, 200
    ]);
    server.takeForm(uploader.forms[1]);
    server.takeForm(uploader.forms[2]);
    expect(files.totals).toMatchObject({ files: 1200, complete: 1200 });
    expect(files.pending).toBe(0);
    expect(states().s1199).toBe('complete');
    const { key } = files.rows[0];
    expect(files.rows.find(row => row.key === key)?.name).toBe('s0');
  });

  it('finds the one file of a form that cannot be taken, and sends the others', async () => {
    const { server, uploader, files, states } = setup();
    await add(
      files,
      ['a', 'b', 'c', 'd'].map(name => small(name))
    );
    const refuse = new Problem({ code: 'invalid-input', status: 400 });
    for (let at = 0; at < uploader.forms.length; at++) {
      const form = uploader.forms[at];
      if (form.form.files.some(({ name }) => name === 'c')) {
        form.target.onError(refuse);
      } else {
        server.takeForm(form);
      }
      await reading();
    }
    expect(states()).toEqual({
      a: 'complete',
      b: 'complete',
      c: 'failed',
      d: 'complete'
    });
    expect(files.rows.find(({ name }) => name === 'c')?.error).toBe(refuse);
  });

  it('pauses, resumes and takes out: one and all', async () => {
    const { server, uploader, files, states } = setup();
    await add(files, [big('a'), big('b'), small('s')]);
    const { target } = uploader.uploads[0];
    server.file('a', undefined, 'uploading');
    target.onCreated('f-a');
    target.onProgress(100, BIG);
    files.pause();
    expect(states()).toEqual({ a: 'paused', b: 'paused', s: 'paused' });
    expect(uploader.uploads.every(({ stopped }) => stopped)).toBe(true);
    expect(uploader.forms[0].stopped).toBe(true);
    expect(files.pending).toBe(0);
    files.resume();
    await reading();
    expect(states()).toEqual({
      a: 'uploading',
      b: 'uploading',
      s: 'uploading'
    });
    // What the server knows is gone on with.
    expect(uploader.uploads[2].target).toMatchObject({ fileId: 'f-a' });
    await files.remove(files.rows.map(({ key }) => key));
    expect(files.rows).toEqual([]);
    expect(server.deleted).toContain('f-a');
  });

  it('goes on by itself after the line was cut, later each time', async () => {
    const { uploader, files, states } = setup();
    await add(files, [big('a'), big('b')]);
    uploader.uploads[0].target.onError(network());
    expect(states()).toEqual({ a: 'waiting', b: 'uploading' });
    uploader.uploads[1].target.onError(network());
    expect(files.pending).toBe(2);
    await settle(999);
    expect(uploader.uploads).toHaveLength(2);
    await settle(1);
    expect(uploader.uploads).toHaveLength(4);
    uploader.uploads[2].target.onError(network());
    await settle(1999);
    expect(uploader.uploads).toHaveLength(4);
    // The browser says that it is online again.
    files.wake();
    await reading();
    expect(uploader.uploads).toHaveLength(5);
    uploader.uploads[4].target.onProgress(1, BIG);
    expect(files.queue.retry.attempt).toBe(0);
  });

  it("waits for a sign-in, and does not take it for the file's fault", async () => {
    const { uploader, files, states } = setup();
    await add(files, [big('a')]);
    uploader.uploads[0].target.onError(
      new Problem({ code: 'unauthenticated', status: 401 })
    );
    expect(states().a).toBe('waiting');
    expect(files.queue.retry.problem?.status).toBe(401);
    files.wake();
    await reading();
    expect(states().a).toBe('uploading');
  });

  it('waits for a server that JupyterHub has stopped', async () => {
    const { uploader, files, states } = setup();
    await add(files, [big('a')]);
    // What the hub answers to a HEAD, in the stopped server's place.
    uploader.uploads[0].target.onError(problemOf(405, 'text/html', '', 0));
    expect(states().a).toBe('waiting');
    files.wake();
    await reading();
    expect(states().a).toBe('uploading');
  });

  it('makes a request anew that says nothing, or that the computer slept over', async () => {
    const { uploader, files, states } = setup();
    await add(files, [big('a')]);
    await settle(100_000);
    expect(uploader.uploads.length).toBeGreaterThan(1);
    expect(states().a).toBe('uploading');
    const before = uploader.uploads.length;
    jest.setSystemTime(Date.now() + 3_600_000);
    await settle(5000);
    expect(uploader.uploads.length).toBe(before + 1);
    expect(files.rows[0].speed).toBe(0);
  });

  it('shows why an upload failed, and tries again', async () => {
    const { uploader, files, states } = setup();
    await add(files, [big('a')]);
    const problem = new Problem({ code: 'no-space', status: 507 });
    uploader.uploads[0].target.onError(problem);
    expect(files.rows[0]).toMatchObject({ state: 'failed', error: problem });
    files.resume([files.rows[0].key]);
    await reading();
    expect(uploader.uploads).toHaveLength(2);
    expect(states().a).toBe('uploading');
  });

  it('says which names cannot be taken, and sends the rest', async () => {
    const { uploader, files, states } = setup();
    await add(files, [small('good'), small('bad\nname')]);
    expect(states()).toEqual({ good: 'uploading', 'bad\nname': 'failed' });
    expect(uploader.forms[0].form.files).toHaveLength(1);
  });

  it('sends nothing that does not fit, until there is room', async () => {
    const { server, uploader, files } = setup();
    server.free = 10;
    await add(files, [big('a')]);
    expect(uploader.uploads).toHaveLength(0);
    expect(files.intake.obstacle?.short).toEqual({
      what: 'disk',
      needed: BIG,
      left: 10
    });
    const limit = { used: 0, soft: null, hard: null, grace: null };
    const left = (bytes: number, count: number) => ({
      mount: '/',
      exact: true,
      space: { ...limit, left: bytes, expired: false },
      files: { ...limit, left: count, expired: false }
    });
    server.quota = left(10, 5);
    files.intake.obstacle?.answer(true);
    await reading();
    expect(files.intake.obstacle?.short?.what).toBe('quota');
    server.quota = left(1e9, 0);
    files.intake.obstacle?.answer(true);
    await reading();
    expect(files.intake.obstacle?.short).toEqual({
      what: 'files',
      needed: 1,
      left: 0
    });
    server.quota = null;
    server.free = 1e9;
    files.intake.obstacle?.answer(true);
    await reading();
    expect(uploader.uploads).toHaveLength(1);
  });

  it.each([
    ['replace', ['old.dat'], { replace: true, name: 'old.dat' }],
    [
      'keep',
      ['old (2).dat', 'old.dat'],
      { replace: false, name: 'old (2).dat' }
    ],
    ['skip', ['old.dat'], null]
  ] as const)(
    'asks once for all names that are taken: %s',
    async (answer, names, sent) => {
      const { server, uploader, files } = setup();
      await server.client.createSession(null);
      server.file('old.dat');
      await files.restore('s1');
      await add(files, [big('old.dat'), small('new')]);
      expect(files.intake.question?.names).toEqual(['old.dat']);
      expect(uploader.uploads).toHaveLength(0);
      expect(files.pending).toBe(1);
      files.intake.question?.answer(answer);
      await reading();
      expect(files.intake.question).toBeNull();
      expect(uploader.forms).toHaveLength(1);
      expect(uploader.uploads.map(({ target }) => target)).toEqual(
        sent ? [expect.objectContaining(sent)] : []
      );
      expect(
        files.rows
          .map(({ name }) => name)
          .filter(name => name !== 'new')
          .sort()
      ).toEqual(names);
    }
  );

  it('goes on with a part of before the reload when it is the same file, by name, size and bytes', async () => {
    const { server, uploader, files, states } = setup();
    await server.client.createSession(null);
    server.file('mesh/big', undefined, 'uploading').size = BIG;
    expect(await files.restore('s1')).toBe(true);
    expect(files.totals.interrupted).toBe(1);
    // Chosen alone, it is known by its size and its bytes.
    uploader.state = { offset: 4, fingerprint: 'of another file' };
    await add(files, [big('big')]);
    expect(files.intake.question?.names).toEqual(['mesh/big']);
    files.intake.question?.answer('skip');
    await reading();
    uploader.state = { offset: 4, fingerprint: '' };
    await add(files, [big('big')]);
    expect(files.intake.question).toBeNull();
    expect(uploader.uploads[0].target).toMatchObject({
      fileId: 'f-mesh/big',
      name: 'mesh/big'
    });
    expect(states()).toEqual({ 'mesh/big': 'uploading' });
    expect(files.rows[0].sent).toBe(4);
    expect(server.deleted).toEqual([]);
  });

  it('leaves alone what is there already', async () => {
    const { server, uploader, files, finish } = setup();
    await add(files, [big('a')]);
    const { fingerprint } = uploader.uploads[0].target;
    await finish(0);
    server.session!.files[0].size = BIG;
    uploader.state = { offset: BIG, fingerprint };
    await add(files, [big('a')]);
    expect(files.already).toBe(1);
    expect(uploader.uploads).toHaveLength(1);
    await add(files, [big('a', 'y')]);
    expect(files.intake.question?.names).toEqual(['a']);
  });

  it('forgets a session that is gone, not one that could not be asked for', async () => {
    const { server, files } = setup();
    expect(await files.restore('old')).toBe(true);
    expect(files.sessionId).toBeNull();
    server.client.getSession = async () => {
      throw network();
    };
    expect(await files.restore('s1')).toBe(false);
    expect(files.error).toMatchObject({ code: 'network' });
  });

  it('names files by path, and says when there is none', async () => {
    const { files } = setup();
    expect(await files.addPaths(['/data/x.csv', '/data/y.csv'], 'data')).toBe(
      true
    );
    expect(files.rows[0]).toMatchObject({ name: 'x.csv', origin: 'path' });
    expect(await files.addPath('/none')).toBe(false);
    expect(files.error).toMatchObject({ code: 'invalid-input' });
  });

  it('puts a file into a slot, also while it is sent, and makes room there', async () => {
    const { server, uploader, files, finish } = setup();
    await add(files, [big('a'), big('b')]);
    await finish(0);
    const [a, b] = files.rows.map(({ key }) => key);
    await files.setSlot(a, 'script');
    expect(server.session?.files[0].slot).toBe('script');
    await files.setSlot(b, 'script');
    expect(files.rows.map(({ slot }) => slot)).toEqual([null, 'script']);
    server.file('b', undefined, 'uploading');
    uploader.uploads[1].target.onCreated('f-b');
    await settle();
    expect(files.rows.map(({ slot }) => slot)).toEqual([null, 'script']);
  });

  it('asks how the files fit, and changes its signature only for what matters', async () => {
    const { server, uploader, files } = setup();
    server.validation.slots = [{ name: 'script', state: 'ok', file: 'a' }];
    await add(files, [big('a')]);
    const before = files.signature;
    uploader.uploads[0].target.onProgress(10, BIG);
    await settle();
    expect(files.signature).toBe(before);
    files.setTemplate('t');
    await settle();
    expect(files.validation?.slots[0].state).toBe('ok');
    expect(files.signature).not.toBe(before);
  });

  it('shows what another browser sends, changes and takes out', async () => {
    const { server, files, states } = setup();
    await server.client.createSession(null);
    server.file('far', undefined, 'uploading').size = 1000;
    await files.restore('s1');
    const event = { channel: 'uploads' as const, session_id: 's1' };
    const move = (bytes: number) =>
      files.onEvent({
        ...event,
        type: 'upload_progress',
        file_id: 'f-far',
        file_name: 'far',
        uploaded_bytes: bytes
      });
    move(100);
    await settle(1000);
    move(600);
    await settle(300);
    expect(files.rows[0]).toMatchObject({ state: 'elsewhere', sent: 600 });
    expect(files.rows[0].speed).toBeGreaterThan(350);
    expect(files.rows[0].speed).toBeLessThanOrEqual(500);
    expect(files.rows[0].eta).toBeGreaterThan(0.7);
    // Nothing is heard of it any more: it can be gone on with here.
    await settle(15_000);
    expect(states().far).toBe('interrupted');
    const done = { ...server.session!.files[0], state: 'complete' };
    files.onEvent({ ...event, type: 'upload_complete', files: [done] });
    files.onEvent({ ...event, type: 'upload_complete', session_id: 'other' });
    expect(states().far).toBe('complete');
    files.onEvent({ ...event, type: 'upload_changed', removed: ['f-far'] });
    expect(files.rows).toEqual([]);
  });

  it('begins anew when the session expires', async () => {
    const { server, uploader, files } = setup();
    await add(files, [big('a')]);
    server.session = null;
    uploader.uploads[0].target.onError(
      new Problem({ code: 'session-expired', status: 410 })
    );
    await settle();
    expect(files.sessionId).toBeNull();
    files.resume([files.rows[0].key]);
    await reading();
    expect(server.sessions).toBe(2);
    files.clear();
    expect(files.rows).toEqual([]);
  });
});
