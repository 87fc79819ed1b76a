import { ServerConnection } from '@jupyterlab/services';

import { ChunkClock, fingerprint, Uploader, xsrfCookie } from '../uploader';

const MIB = 1024 * 1024;

describe('ChunkClock', () => {
  const next = (size: number, ms: number) => {
    let now = 0;
    const clock = new ChunkClock(() => now);
    clock.begin();
    now += ms;
    return clock.next(size);
  };

  it('aims at requests of twenty seconds', () => {
    expect(next(32 * MIB, 16_000)).toBe(40 * MIB);
  });

  it('grows at most fourfold, and stays within its bounds', () => {
    expect(next(32 * MIB, 1)).toBe(128 * MIB);
    expect(next(32 * MIB, 3_600_000)).toBe(4 * MIB);
    expect(next(900 * MIB, 1)).toBe(1024 * MIB);
    expect(next(1000, 1)).toBe(16 * MIB);
  });
});

it('takes the last of several _xsrf cookies, as the server does', () => {
  expect(xsrfCookie('a=1; _xsrf=one; b=2; _xsrf=two')).toBe('two');
  expect(xsrfCookie('a=1')).toBe('');
});

it('knows the same file again for the same session only', () => {
  const file = new File(['x'], 'a.py', { lastModified: 5 });
  expect(fingerprint(file, 's')).toBe(
    fingerprint(new File(['y'], 'a.py', { lastModified: 5 }), 's')
  );
  expect(fingerprint(file, 's')).not.toBe(fingerprint(file, 't'));
});

it('makes an upload that can be stopped before it began', async () => {
  const uploader = new Uploader({
    serverSettings: ServerConnection.makeSettings({ baseUrl: 'http://h/a/' })
  });
  const upload = uploader.create(new File(['x'], 'a.py'), {
    sessionId: 's',
    tusUrl: '/a/slurmdash/api/v2/upload/tus/s',
    slot: 'script',
    onProgress: () => undefined,
    onDone: () => undefined,
    onError: () => undefined
  });
  await upload.pause();
  await upload.cancel();
});
