import { ServerConnection } from '@jupyterlab/services';

import { ChunkClock } from '../chunkclock';
import { Problem } from '../../problem';
import { fingerprint, lineOrFile, sha256 } from '../fingerprint';
import { xsrfCookie } from '../headers';
import { markOf, Uploader } from '../uploader';

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

describe('fingerprint', () => {
  const bytes = (size: number, change?: number) => {
    const data = new Uint8Array(size);
    if (change !== undefined) {
      data[change] = 1;
    }
    return new Blob([data]);
  };

  it('tells files apart by size, beginning, middle and end', async () => {
    const same = await fingerprint(bytes(MIB));
    expect(same).toMatch(/^[0-9a-f]{16}$/);
    expect(await fingerprint(bytes(MIB))).toBe(same);
    for (const other of [
      bytes(MIB + 1),
      bytes(MIB, 0),
      bytes(MIB, 65_535),
      bytes(MIB, MIB - 1),
      bytes(MIB, MIB - 65_536)
    ]) {
      expect(await fingerprint(other)).not.toBe(same);
    }
  });

  it('sees all of a small file', async () => {
    const marks = new Set<string>();
    for (let at = 0; at < 1000; at += 50) {
      marks.add(await fingerprint(bytes(1000, at)));
    }
    expect(marks.size).toBe(20);
    expect(await fingerprint(new Blob([]))).toHaveLength(16);
  });

  it('does without SHA-256 where the page may not compute it', async () => {
    expect(await sha256(bytes(3))).toBeNull();
  });
});

it('reads the fingerprint that the server gives back', () => {
  expect(markOf(`filename YQ==,fingerprint ${btoa('0f')}`)).toBe('0f');
  expect(markOf('filename YQ==')).toBe('');
  expect(markOf('fingerprint')).toBe('');
});

describe('a request that died', () => {
  const cut = new Problem({ code: 'network' });
  const there = new File(['x'], 'a.py');

  it('is the line’s fault while the files can be read', async () => {
    expect(await lineOrFile(cut, [there, new File([], 'empty')])).toBe(cut);
  });

  it('is the fault of a file that went away', async () => {
    const gone = new File(['x'], 'b.py');
    jest.spyOn(gone, 'slice').mockReturnValue({} as Blob);
    const problem = await lineOrFile(cut, [there, gone]);
    expect(problem.code).toBe('unreadable');
  });

  it('is left alone when the server has said something', async () => {
    const refused = new Problem({ code: 'no-space', status: 507 });
    expect(await lineOrFile(refused, [])).toBe(refused);
  });
});

it('makes an upload that can be stopped before it began', () => {
  const uploader = new Uploader({
    serverSettings: ServerConnection.makeSettings({ baseUrl: 'http://h/a/' })
  });
  const upload = uploader.send(new File(['x'], 'a.py'), {
    tusUrl: '/a/slurmdash/api/v2/upload/tus/s',
    name: 'd/a.py',
    slot: 'script',
    fingerprint: '0f',
    fileId: null,
    onCreated: () => undefined,
    onProgress: () => undefined,
    onDone: () => undefined,
    onError: () => undefined
  });
  upload.stop();
});
