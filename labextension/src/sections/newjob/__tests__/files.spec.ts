import { Problem } from '../../../problem';
import { FilesModel } from '../files';
import { FakeServer, FakeUploader, settle } from './fakes';

function setup() {
  const server = new FakeServer();
  const uploader = new FakeUploader();
  let keys = 0;
  let now = 0;
  const files = new FilesModel({
    client: server.client,
    uploader,
    newKey: () => `k${++keys}`,
    now: () => now
  });
  const finish = async (at: number) => {
    const { target, file } = uploader.uploads[at];
    server.file(file.name, target.slot);
    target.onCreated?.(`f-${file.name}`);
    target.onDone();
    await settle();
  };
  return { server, uploader, files, finish, pass: (ms: number) => (now += ms) };
}

const file = (name: string, size = 1000) =>
  new File(['x'.repeat(size)], name, { lastModified: 1 });

describe('FilesModel', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('makes one session for many files and sends three at a time', async () => {
    const { server, uploader, files, finish } = setup();
    files.setTemplate('t');
    await files.add(['a', 'b', 'c', 'd', 'e'].map(name => file(name)));
    expect(server.sessions).toBe(1);
    expect(server.session?.template_id).toBe('t');
    expect(uploader.uploads.map(({ file }) => file.name)).toEqual([
      'a',
      'b',
      'c'
    ]);
    expect(files.rows.map(({ state }) => state)).toEqual([
      'uploading',
      'uploading',
      'uploading',
      'queued',
      'queued'
    ]);
    expect(files.pending).toBe(5);
    await finish(0);
    expect(uploader.uploads).toHaveLength(4);
    expect(files.pending).toBe(4);
    expect(files.rows.find(({ name }) => name === 'a')).toMatchObject({
      state: 'complete',
      local: false
    });
  });

  it('measures how fast it goes, smoothed', async () => {
    const { uploader, files, pass } = setup();
    await files.add([file('a')], 'script');
    const { target } = uploader.uploads[0];
    expect(target).toMatchObject({ slot: 'script', tusUrl: '/tus/s1' });
    target.onProgress(0, 1000);
    pass(500);
    target.onProgress(500, 1000);
    expect(files.rows[0]).toMatchObject({ sent: 500, speed: 1000 });
    pass(10);
    target.onProgress(510, 1000);
    expect(files.rows[0].speed).toBe(1000);
    pass(490);
    target.onProgress(510, 1000);
    expect(files.rows[0].speed).toBeLessThan(1000);
  });

  it('pauses, goes on, and cancels', async () => {
    const { uploader, files } = setup();
    await files.add([file('a')]);
    const { key } = files.rows[0];
    await files.pause(key);
    expect(files.rows[0].state).toBe('paused');
    expect(files.paused).toBe(1);
    expect(files.pending).toBe(0);
    await files.resume(key);
    expect(files.rows[0].state).toBe('uploading');
    expect(uploader.uploads).toHaveLength(1);
    await files.remove(key);
    expect(uploader.uploads[0].calls).toEqual([
      'start',
      'pause',
      'start',
      'cancel'
    ]);
    expect(files.rows).toEqual([]);
  });

  it('shows why an upload failed, and tries again anew', async () => {
    const { uploader, files } = setup();
    await files.add([file('a')]);
    const problem = new Problem({ code: 'no-space', status: 507 });
    uploader.uploads[0].target.onError(problem);
    expect(files.rows[0]).toMatchObject({ state: 'failed', error: problem });
    await files.resume(files.rows[0].key);
    expect(uploader.uploads).toHaveLength(2);
  });

  it('replaces a file of the same name', async () => {
    const { server, uploader, files, finish } = setup();
    await files.add([file('a')]);
    await finish(0);
    await files.add([file('a', 5)]);
    expect(server.deleted).toEqual(['f-a']);
    expect(uploader.uploads).toHaveLength(2);
    expect(files.rows).toHaveLength(1);
  });

  it('goes on with a part that the server has from before the reload', async () => {
    const { server, files } = setup();
    await server.client.createSession(null);
    server.file('big', undefined, 'uploading');
    expect(await files.restore('s1')).toBe(true);
    expect(files.rows[0]).toMatchObject({ state: 'interrupted', sent: 4 });
    expect(files.paused).toBe(1);
    await files.add([file('big')]);
    expect(server.deleted).toEqual([]);
    expect(files.rows).toHaveLength(1);
    expect(files.rows[0].state).toBe('uploading');
  });

  it('forgets a session that is gone, not one that could not be asked for', async () => {
    const { server, files } = setup();
    expect(await files.restore('old')).toBe(true);
    expect(files.sessionId).toBeNull();
    server.client.getSession = async () => {
      throw new Problem({ code: 'network' });
    };
    expect(await files.restore('s1')).toBe(false);
    expect(files.error).toMatchObject({ code: 'network' });
  });

  it('names files by path, and says when there is none', async () => {
    const { files } = setup();
    expect(await files.addPath('/data/x.csv', 'data')).toBe(true);
    expect(files.rows[0]).toMatchObject({ name: 'x.csv', origin: 'path' });
    expect(await files.addPath('/none')).toBe(false);
    expect(files.error).toMatchObject({ code: 'invalid-input' });
  });

  it('puts a file into a slot', async () => {
    const { server, files, finish } = setup();
    await files.add([file('a'), file('b')]);
    await finish(0);
    await files.setSlot('f-a', 'script');
    expect(server.session?.files[0].slot).toBe('script');
    await files.setSlot(files.rows[1].key, 'data');
    expect(files.rows[1].slot).toBe('data');
  });

  it('asks how the files fit, and changes its signature only for what matters', async () => {
    const { server, uploader, files } = setup();
    server.validation.slots = [{ name: 'script', state: 'ok', file: 'a' }];
    await files.add([file('a')]);
    const before = files.signature;
    uploader.uploads[0].target.onProgress(10, 1000);
    expect(files.signature).toBe(before);
    files.setTemplate('t');
    await settle();
    expect(files.validation?.slots[0].state).toBe('ok');
    expect(files.signature).not.toBe(before);
  });

  it('follows what another tab sends', async () => {
    const { server, files } = setup();
    await server.client.createSession(null);
    server.file('far', undefined, 'uploading');
    await files.restore('s1');
    const event = { channel: 'uploads' as const, session_id: 's1' };
    files.onEvent({
      ...event,
      type: 'upload_progress',
      file_name: 'far',
      uploaded_bytes: 8
    });
    expect(files.rows[0].sent).toBe(8);
    server.session!.files[0].state = 'complete';
    files.onEvent({ ...event, type: 'upload_complete' });
    files.onEvent({ ...event, type: 'upload_complete', session_id: 'other' });
    await settle();
    expect(files.rows[0].state).toBe('complete');
  });

  it('begins anew when the session expires', async () => {
    const { server, uploader, files } = setup();
    await files.add([file('a')]);
    server.session = null;
    uploader.uploads[0].target.onError(
      new Problem({ code: 'session-expired', status: 410 })
    );
    await settle();
    expect(files.sessionId).toBeNull();
    await files.resume(files.rows[0].key);
    expect(server.sessions).toBe(2);
    files.clear();
    expect(files.rows).toEqual([]);
  });
});
