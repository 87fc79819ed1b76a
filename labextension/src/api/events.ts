import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';

import { Observable } from '../observable';

export type Channel = 'uploads' | 'jobs' | 'templates' | 'images';

/** One event: `type` beside its own data. */
export interface ISlurmEvent {
  type: string;
  channel?: Channel;
  event_id?: number;
  time?: number;
  [key: string]: unknown;
}

const CHANNELS: Channel[] = ['uploads', 'jobs', 'templates', 'images'];

const FIRST_DELAY = 500;
const LAST_DELAY = 30_000;

/**
 * One WebSocket for the whole panel, which mends itself.
 *
 * After a break it asks for what it missed by the last event's id; when the server cannot tell any more (or was
 * started again), `reload` says that everything has to be fetched anew.
 */
export class EventsClient extends Observable {
  constructor(options: EventsClient.IOptions = {}) {
    super();
    this._settings = options.serverSettings ?? ServerConnection.makeSettings();
    this._random = options.random ?? Math.random;
  }

  /** Everything that happens, in order. */
  get event(): ISignal<this, ISlurmEvent> {
    return this._event;
  }

  /** Fetch all again: what happened meanwhile is not known. */
  get reload(): ISignal<this, void> {
    return this._reload;
  }

  get connected(): boolean {
    return this._connected;
  }

  connect(): void {
    if (this._socket || this.isDisposed) {
      return;
    }
    const socket = new this._settings.WebSocket(this._url());
    this._socket = socket;
    socket.onopen = () => this._onOpen(socket);
    socket.onmessage = message => this._onMessage(message.data);
    socket.onclose = () => this._onClose();
    // A close always follows, which starts the next try.
    socket.onerror = () => undefined;
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    clearTimeout(this._timer);
    if (this._socket) {
      this._socket.onclose = null;
      this._socket.close();
      this._socket = null;
    }
    super.dispose();
  }

  private _url(): string {
    const { wsUrl, token, appendToken } = this._settings;
    const url = URLExt.join(wsUrl, 'slurmdash/api/ws');
    return appendToken && token
      ? `${url}?token=${encodeURIComponent(token)}`
      : url;
  }

  private _onOpen(socket: WebSocket): void {
    socket.send(
      JSON.stringify({
        subscribe: CHANNELS,
        ...(this._lastId === null ? {} : { last_event_id: this._lastId })
      })
    );
    this._delay = FIRST_DELAY;
    this._connected = true;
    this.notify();
    // Between the first lists and the first subscription something may have happened, and a server that was
    // started again counts its events anew: the lists are the truth.
    this._reload.emit();
  }

  private _onMessage(data: unknown): void {
    for (const event of parseFrame(data)) {
      if (event.type === 'reload') {
        this._reload.emit();
        continue;
      }
      if (typeof event.event_id === 'number') {
        this._lastId = event.event_id;
      }
      this._event.emit(event);
    }
  }

  private _onClose(): void {
    this._socket = null;
    if (this._connected) {
      this._connected = false;
      this.notify();
    }
    // Full jitter: a hundred panels do not come back at the same moment.
    const wait = this._delay * (0.5 + this._random() / 2);
    this._delay = Math.min(LAST_DELAY, this._delay * 2);
    this._timer = setTimeout(() => this.connect(), wait);
  }

  private readonly _settings: ServerConnection.ISettings;
  private readonly _random: () => number;
  private readonly _event = new Signal<this, ISlurmEvent>(this);
  private readonly _reload = new Signal<this, void>(this);
  private _socket: WebSocket | null = null;
  private _connected = false;
  private _lastId: number | null = null;
  private _delay = FIRST_DELAY;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

export namespace EventsClient {
  export interface IOptions {
    serverSettings?: ServerConnection.ISettings;
    /** From 0 to 1; spreads reconnects. */
    random?: () => number;
  }
}

/** The events of one frame (an array of them, or a single one); nothing for what is not understood. */
export function parseFrame(data: unknown): ISlurmEvent[] {
  if (typeof data !== 'string') {
    return [];
  }
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return [];
  }
  return (Array.isArray(value) ? value : [value]).filter(isEvent);
}

function isEvent(value: unknown): value is ISlurmEvent {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { type?: unknown }).type === 'string'
  );
}
