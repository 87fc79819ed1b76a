import type { Preflight } from '../../../api/types';
import type { IPicked } from '../filesdrop';
import { add, BIG, big, setup, small } from './filesmodel';
import { later, reading, settle } from './fakes';

describe('a drop into a form that is cleared', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** Nothing of what was dropped is sent, shown, asked about or waited for. */
  const expectNothing = ({ files, uploader }: ReturnType<typeof setup>) => {
    expect(files.pending).toBe(0);
    expect(files.rows).toEqual([]);
    expect(files.sessionId).toBeNull();
    expect(files.error).toBeNull();
    expect(files.intake.question).toBeNull();
    expect(files.intake.obstacle).toBeNull();
    expect(uploader.forms).toEqual([]);
    expect(uploader.uploads).toEqual([]);
  };

  it('sends nothing of it when it had a question', async () => {
    const all = setup();
    const { server, files } = all;
    await server.client.createSession(null);
    server.file('old.dat');
    await files.restore('s1');
    await add(files, [big('old.dat'), big('new'), small('tiny')]);
    expect(files.intake.question).not.toBeNull();
    files.clear();
    await reading();
    expectNothing(all);
  });

  it('sends nothing of it while the drop is still read', async () => {
    const all = setup();
    const picking = later<IPicked[]>();
    const { files } = all;
    void files.take(picking.promise);
    // The one that waits for the first goes with it.
    await add(files, [small('second')]);
    files.clear();
    expect(files.looking).toBe(0);
    picking.resolve([{ name: 'first', file: small('first') }]);
    await reading();
    expectNothing(all);
  });

  it.each([
    ['answers', ''],
    ['asks', 'old.dat'],
    ['fails', 'fails']
  ])(
    'asks and sends nothing of it when the server then %s',
    async (_, what) => {
      const all = setup();
      const { server, files } = all;
      await server.client.createSession(null);
      server.file('old.dat');
      await files.restore('s1');
      const told = later<Preflight>();
      const { preflight } = server.client;
      server.client.preflight = () => told.promise;
      await add(files, [small('a'), small(what || 'b')]);
      const answer = preflight('s1', [
        { name: 'a', size: 1 },
        { name: what, size: 1 }
      ]);
      files.clear();
      // The next drop does not wait for the one that is given up.
      server.client.preflight = preflight;
      if (what === 'fails') {
        told.reject(new Error('no'));
      } else {
        told.resolve(await answer);
      }
      await reading();
      expectNothing(all);
    }
  );

  it('makes no session for it, and takes none that comes too late', async () => {
    const all = setup();
    const { server, files } = all;
    const made = later<void>();
    const { createSession } = server.client;
    server.client.createSession = async id => {
      await made.promise;
      return createSession(id);
    };
    await add(files, [small('a')]);
    void files.addPaths(['/data/x', '/data/y']);
    files.clear();
    made.resolve();
    await reading();
    expectNothing(all);
    expect(server.sessions).toBe(1);
    expect(server.session?.files).toEqual([]);
  });

  it('goes on neither with paths nor with what was asked about the old files', async () => {
    const all = setup();
    const { server, files } = all;
    await server.client.createSession(null);
    server.file('old');
    await files.restore('s1');
    const { addPath, updateFile, getSession } = server.client;
    const held = later<void>();
    Object.assign(server.client, {
      addPath: async (...args: Parameters<typeof addPath>) => {
        await held.promise;
        return addPath(...args);
      },
      updateFile: async (...args: Parameters<typeof updateFile>) => {
        await held.promise;
        return updateFile(...args);
      },
      getSession: async (id: string) => {
        await held.promise;
        return getSession(id);
      }
    });
    void files.addPaths(['/data/x', '/data/y']);
    void files.setSlot('f-old', 'script');
    void files.refresh();
    await settle();
    files.clear();
    held.resolve();
    await settle();
    expectNothing(all);
    expect(server.sessions).toBe(1);
  });

  it('holds up no drop of the form after it', async () => {
    const { uploader, files } = setup();
    await add(files, [big('a')]);
    await add(files, [big('a')]);
    expect(files.already).toBe(1);
    void files.take(new Promise(() => undefined));
    files.clear();
    expect(files.already).toBe(0);
    await add(files, [small('b')]);
    expect(uploader.forms).toMatchObject([
      { form: { files: [{ name: 'b' }] }, target: { sessionId: 's2' } }
    ]);
    expect(files.pending).toBe(1);
  });
});

describe('a drop onto a slot', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('puts a file there that is on the server already', async () => {
    const { server, uploader, files, finish } = setup();
    await add(files, [big('a')]);
    const { fingerprint } = uploader.uploads[0].target;
    await finish(0);
    server.session!.files[0].size = BIG;
    uploader.state = { offset: BIG, fingerprint };
    server.file('stood', 'script');
    await files.refresh();
    await add(files, [big('a'), small('next')], 'script');
    expect(files.already).toBe(1);
    expect(
      Object.fromEntries(files.rows.map(({ name, slot }) => [name, slot]))
    ).toEqual({ a: 'script', stood: null, next: null });
    expect(server.session?.files.find(f => f.name === 'a')?.slot).toBe(
      'script'
    );
    expect(uploader.forms[0].form).toMatchObject({ slot: undefined });
  });

  it('puts a file there that this page still sends', async () => {
    const { server, uploader, files } = setup();
    await server.client.createSession(null);
    server.file('stood', 'script');
    await files.restore('s1');
    await add(files, [big('a')]);
    await add(files, [big('a')], 'script');
    expect(uploader.uploads).toHaveLength(1);
    expect(files.rows).toMatchObject([
      { name: 'stood', slot: null },
      { name: 'a', slot: 'script' }
    ]);
  });

  it('puts a file there whose form is on its way', async () => {
    const { server, uploader, files } = setup();
    await add(files, [small('a'), small('b')]);
    await files.setSlot(files.rows[1].key, 'script');
    server.takeForm(uploader.forms[0]);
    await settle();
    expect(files.rows).toMatchObject([
      { name: 'a', slot: null },
      { name: 'b', slot: 'script' }
    ]);
  });

  it('leaves the file there that stands there when the new one cannot be taken', async () => {
    const { server, files } = setup();
    await server.client.createSession(null);
    server.file('good', 'script');
    await files.restore('s1');
    await add(files, [small('bad\nname')], 'script');
    expect(files.rows).toMatchObject([
      { name: 'good', slot: 'script' },
      { name: 'bad\nname', slot: 'script', state: 'failed' }
    ]);
  });

  it('is for the first file, whatever has to be asked about it', async () => {
    const { server, files } = setup();
    await server.client.createSession(null);
    server.file('first', 'script');
    await files.restore('s1');
    const slots = () =>
      Object.fromEntries(files.rows.map(({ name, slot }) => [name, slot]));
    await add(files, [big('first'), big('b')], 'script');
    files.intake.question?.answer('skip');
    await reading();
    expect(slots()).toEqual({ first: 'script', b: null });
    await add(files, [big('first'), big('c')], 'script');
    files.intake.question?.answer('keep');
    await reading();
    expect(slots()).toEqual({
      first: null,
      'first (2)': 'script',
      b: null,
      c: null
    });
  });
});
