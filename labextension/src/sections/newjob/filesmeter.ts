/** Milliseconds over which the speed is taken. */
const WINDOW = 6000;

/** Milliseconds without news after which an upload stands still. */
const SILENCE = 8000;

/** Milliseconds between two points that are kept; closer ones say nothing more. */
const STEP = 100;

interface IPoint {
  at: number;
  sent: number;
}

/**
 * How fast something goes: a moving average over the last seconds.
 *
 * It is never negative and never no number. A time back (an upload that goes on from what the server has) and a gap (the
 * lid was closed) begin it anew.
 */
export class Meter {
  constructor(private readonly _now: () => number = Date.now) {}

  /** `sent` bytes in all have gone by now. */
  add(sent: number): void {
    const at = this._now();
    const last = this._points.at(-1);
    if (last && (sent < last.sent || at - last.at > SILENCE || at < last.at)) {
      this._points = [];
    }
    if (this._points.length > 1 && at - this._points.at(-2)!.at < STEP) {
      this._points.pop();
    }
    this._points.push({ at, sent });
    while (this._points.length > 2 && at - this._points[1].at >= WINDOW) {
      this._points.shift();
    }
  }

  /** Bytes per second; 0 while it is not known, and when nothing has come for a while. */
  get speed(): number {
    const first = this._points[0];
    const last = this._points.at(-1);
    const now = this._now();
    if (!first || !last || now - last.at > SILENCE) {
      return 0;
    }
    // What has not come since the last point counts too: a line that hangs becomes slower by the second.
    const span = Math.max(last.at, now - STEP * 5) - first.at;
    return span > 0 ? ((last.sent - first.sent) * 1000) / span : 0;
  }

  reset(): void {
    this._points = [];
  }

  private _points: IPoint[] = [];
}

/** Seconds that the rest takes; null while that cannot be said. */
export function timeLeft(
  size: number | null,
  sent: number,
  speed: number
): number | null {
  if (size === null || !(speed > 0)) {
    return null;
  }
  return Math.max(0, size - sent) / speed;
}
