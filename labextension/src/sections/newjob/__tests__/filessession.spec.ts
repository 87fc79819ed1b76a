import type { UploadSession } from '../../../api/types';
import { Problem } from '../../../problem';
import { add, big, setup, small } from './filesmodel';
import { GONE, later, reading, settle } from './fakes';

const network = () => new Problem({ code: 'network' });

/** A draft whose session has a file, and a server that answers only when the test lets it. */
async function reloaded() {
  const all = setup();
  const { server } = all;
  await server.client.createSession(null);
  server.file('old');
  const { getSession } = server.client;
  const asked = later<void>();
  /** Put in the way of the server's answer. */
  const way = { cut: false };
  server.client.getSession = async id => {
    if (way.cut) {
      throw network();
    }
    await asked.promise;
    return getSession(id);
  };
  return { ...all, asked, way };
}

describe('the session of before the reload', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('is waited for by what is dropped meanwhile', async () => {
    const { server, uploader, files, asked } = await reloaded();
    void files.restore('s1');
    await add(files, [small('a')]);
    void files.addPath('/data/x');
    await settle();
    expect(server.sessions).toBe(1);
    expect(uploader.forms).toEqual([]);
    asked.resolve();
    await reading();
    expect(server.sessions).toBe(1);
    expect(uploader.forms[0].target.sessionId).toBe('s1');
    server.takeForm(uploader.forms[0]);
    expect(files.rows.map(({ name }) => name).sort()).toEqual([
      'a',
      'old',
      'x'
    ]);
  });

  it('makes place for a new one when it is gone', async () => {
    const { server, uploader, files, asked } = await reloaded();
    const restored = files.restore('s1');
    await add(files, [small('a')]);
    server.session = null;
    asked.resolve();
    await reading();
    expect(await restored).toBe(true);
    expect(files.error).toBeNull();
    expect(server.sessions).toBe(2);
    expect(uploader.forms[0].target.sessionId).toBe('s2');
  });

  it('is asked for again by "Try again" and by the next drop', async () => {
    const { server, uploader, files, asked, way } = await reloaded();
    asked.resolve();
    way.cut = true;
    expect(await files.restore('s1')).toBe(false);
    await files.refresh();
    expect(files.error).toMatchObject({ code: 'network' });
    await add(files, [small('a')]);
    expect(files.intake.obstacle?.error).toMatchObject({ code: 'network' });
    // It is still not there, whatever becomes of the drop.
    expect(files.error).toMatchObject({ code: 'network' });
    expect(server.sessions).toBe(1);
    way.cut = false;
    files.intake.obstacle?.answer(true);
    await reading();
    expect(uploader.forms[0].target.sessionId).toBe('s1');
    expect(files.error).toBeNull();
    expect(files.rows.map(({ name }) => name)).toEqual(['old', 'a']);
  });

  it('comes back with "Try again"', async () => {
    const { files, asked, way } = await reloaded();
    asked.resolve();
    way.cut = true;
    await files.restore('s1');
    way.cut = false;
    await files.refresh();
    expect(files.sessionId).toBe('s1');
    expect(files.error).toBeNull();
    expect(files.rows).toMatchObject([{ name: 'old', state: 'complete' }]);
  });

  it('is forgotten when "Try again" finds it gone, and with the form', async () => {
    const { server, files, asked, way } = await reloaded();
    asked.resolve();
    way.cut = true;
    await files.restore('s1');
    way.cut = false;
    server.client.getSession = () => Promise.reject(GONE);
    await files.refresh();
    expect(files.error).toBeNull();
    const again = await reloaded();
    const restored = again.files.restore('s1');
    again.files.clear();
    await add(again.files, [small('a')]);
    again.asked.resolve();
    await restored;
    expect(again.files.sessionId).toBe('s2');
    expect(again.files.rows.map(({ name }) => name)).toEqual(['a']);
  });

  it('leaves nothing of another one when it is brought back', async () => {
    const { server, uploader, files } = setup();
    await add(files, [big('fresh')]);
    const other: UploadSession = {
      ...server.session!,
      session_id: 'old',
      files: [server.file('before')]
    };
    server.client.getSession = async () => other;
    await files.restore('old');
    expect(uploader.uploads[0].stopped).toBe(true);
    expect(files.rows.map(({ name }) => name)).toEqual(['before']);
  });
});
