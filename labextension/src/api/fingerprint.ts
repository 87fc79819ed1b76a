import { Problem } from '../problem';

/** Bytes looked at at the beginning and at the end of a file. */
const EDGE = 64 * 1024;

/** Places looked at between, and the bytes of each. */
const PLACES = 8;
const SAMPLE = 4096;

/**
 * What tells whether this is the file that was begun before: its size, its first bytes, its last, and some between.
 *
 * 16 hexadecimal digits. It tells versions of a file apart, it proves nothing: the proof is the server's SHA-256.
 */
export async function fingerprint(file: Blob): Promise<string> {
  const parts = [file.slice(0, EDGE)];
  if (file.size > EDGE) {
    const step = Math.floor((file.size - EDGE) / (PLACES + 1));
    for (let place = 1; place <= PLACES; place++) {
      const start = EDGE + place * step;
      parts.push(file.slice(start, start + SAMPLE));
    }
    parts.push(file.slice(Math.max(EDGE, file.size - EDGE)));
  }
  const hash = new Hash();
  hash.add(new TextEncoder().encode(`${file.size}:`));
  hash.add(new Uint8Array(await bytesOf(new Blob(parts))));
  return hash.digest();
}

/** SHA-256 in hexadecimal; null where the page may not compute it (it was not loaded over https). */
export async function sha256(file: Blob): Promise<string | null> {
  if (!globalThis.crypto?.subtle) {
    return null;
  }
  const digest = await crypto.subtle.digest('SHA-256', await bytesOf(file));
  return [...new Uint8Array(digest)]
    .map(byte => byte.toString(16).padStart(2, '0'))
    .join('');
}

/**
 * The problem as it is: a request dies alike when the line is cut and when the browser cannot read one of its files any
 * more, and only the first goes away by waiting.
 */
export async function lineOrFile(
  problem: Problem,
  files: readonly Blob[]
): Promise<Problem> {
  if (problem.code !== 'network') {
    return problem;
  }
  try {
    await Promise.all(files.map(file => bytesOf(file.slice(0, 1))));
    return problem;
  } catch (error) {
    return new Problem({ code: 'unreadable', detail: String(error) });
  }
}

/** A blob's bytes. Rejects when the file was changed or removed since it was chosen. */
function bytesOf(blob: Blob): Promise<ArrayBuffer> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result as ArrayBuffer);
    reader.onerror = () => failed(reader.error);
    reader.readAsArrayBuffer(blob);
  });
}

/** Two 32-bit hashes of the kind of MurmurHash, mixed at the end (as in the public domain's cyrb53). */
class Hash {
  add(bytes: Uint8Array): void {
    let { _one: one, _two: two } = this;
    for (const byte of bytes) {
      one = Math.imul(one ^ byte, 2654435761);
      two = Math.imul(two ^ byte, 1597334677);
    }
    this._one = one;
    this._two = two;
  }

  digest(): string {
    const mix = (own: number, other: number) =>
      (Math.imul(own ^ (own >>> 16), 2246822507) ^
        Math.imul(other ^ (other >>> 13), 3266489909)) >>>
      0;
    return [mix(this._one, this._two), mix(this._two, this._one)]
      .map(half => half.toString(16).padStart(8, '0'))
      .join('');
  }

  private _one = 0xdeadbeef;
  private _two = 0x41c6ce57;
}
