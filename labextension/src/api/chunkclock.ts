const MIB = 1024 * 1024;

/** The first request's bytes, before the speed is known: at 100 KB/s it lasts 80 s. */
export const FIRST_CHUNK = 8 * MIB;
const SMALLEST_CHUNK = 4 * MIB;
const LARGEST_CHUNK = 1024 * MIB;

/** Seconds that one request should last; JupyterHub's proxy ends any request at 300 s. */
const CHUNK_SECONDS = 20;

/** Chooses the size of the next request by how fast the last one was. */
export class ChunkClock {
  constructor(private readonly _now: () => number = () => performance.now()) {}

  begin(): void {
    this._began = this._now();
  }

  /** Bytes for the next request, after one of `size` bytes. */
  next(size: number): number {
    const seconds = Math.max(0.001, (this._now() - this._began) / 1000);
    const wanted = (size / seconds) * CHUNK_SECONDS;
    // At most four times the last: one lucky request says little.
    const bounded = Math.min(wanted, Math.max(size, SMALLEST_CHUNK) * 4);
    return Math.round(
      Math.min(LARGEST_CHUNK, Math.max(SMALLEST_CHUNK, bounded))
    );
  }

  private _began = 0;
}
