/** Lines in one block; a block that is full never changes again, so it is drawn once. */
const BLOCK = 200;

/** Lines kept; the file itself has them all. */
const KEPT = 20_000;

const ESCAPE = '\u001b';
const BELL = '\u0007';

/** CSI and OSC sequences, and the lone two-character ones (ECMA-48). */
const ANSI = new RegExp(
  [
    `${ESCAPE}\\[[0-?]*[ -/]*[@-~]`,
    `${ESCAPE}\\][^${BELL}${ESCAPE}]*(?:${BELL}|${ESCAPE}\\\\)`,
    `${ESCAPE}[@-Z\\\\-_]`
  ].join('|'),
  'g'
);

export interface ILogBlock {
  id: number;
  text: string;
}

/** A terminal's last lines as plain text: colours dropped, and `\r` writes a line anew, as progress bars want it. */
export class LogBuffer {
  /** Lines that were dropped at the front. */
  dropped = 0;

  get empty(): boolean {
    return this._full.length === 0 && this._lines.length === 0 && !this._last;
  }

  get blocks(): ILogBlock[] {
    const open = [...this._lines, this._last].join('\n');
    return open
      ? [...this._full, { id: this._nextId, text: open }]
      : [...this._full];
  }

  append(text: string): void {
    // A sequence may be cut by the end of a piece: it waits for the next one.
    const all = this._pending + text;
    const cut = cutSequence(all);
    this._pending = all.slice(cut);
    const lines = (this._last + all.slice(0, cut).replace(ANSI, '')).split(
      '\n'
    );
    this._last = lines.pop() ?? '';
    for (const line of lines) {
      this._push(overwritten(line));
    }
    // Only the last state of an open line matters, and its `\r` may be followed by `\n`.
    const at = this._last.lastIndexOf('\r', this._last.length - 2);
    if (at >= 0) {
      this._last = this._last.slice(at + 1);
    }
  }

  private _push(line: string): void {
    this._lines.push(line);
    if (this._lines.length < BLOCK) {
      return;
    }
    this._full.push({ id: this._nextId, text: this._lines.join('\n') + '\n' });
    this._nextId += 1;
    this._lines = [];
    if (this._full.length * BLOCK > KEPT) {
      this._full = this._full.slice(1);
      this.dropped += BLOCK;
    }
  }

  private _full: ILogBlock[] = [];
  private _lines: string[] = [];
  private _last = '';
  private _pending = '';
  private _nextId = 0;
}

/** What is left on a line after its carriage returns. */
function overwritten(line: string): string {
  const body = line.endsWith('\r') ? line.slice(0, -1) : line;
  return body.slice(body.lastIndexOf('\r') + 1);
}

/** Where an unfinished escape sequence begins, else the end. */
function cutSequence(text: string): number {
  const start = text.lastIndexOf(ESCAPE);
  if (start < 0 || text.length - start > 64) {
    return text.length;
  }
  const tail = text.slice(start);
  return tail.replace(ANSI, '') === tail ? start : text.length;
}
