import { ServerConnection } from '@jupyterlab/services';

import { EventsClient, parseFrame, type ISlurmEvent } from '../events';

class FakeSocket {
  static all: FakeSocket[] = [];
  readonly sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  say(...events: object[]): void {
    this.onmessage?.({ data: JSON.stringify(events) });
  }
}

function start() {
  const client = new EventsClient({
    serverSettings: ServerConnection.makeSettings({
      baseUrl: 'http://hub/a/',
      wsUrl: 'ws://hub/a/',
      token: 'to k',
      appendToken: true,
      WebSocket: FakeSocket as unknown as typeof WebSocket
    }),
    random: () => 1
  });
  const events: ISlurmEvent[] = [];
  let reloads = 0;
  client.event.connect((_, event) => events.push(event));
  client.reload.connect(() => (reloads += 1));
  client.connect();
  return { client, events, reloads: () => reloads };
}

describe('EventsClient', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    FakeSocket.all = [];
  });
  afterEach(() => jest.useRealTimers());

  it('subscribes, and hands on every event of a frame in order', () => {
    const { client, events, reloads } = start();
    const [socket] = FakeSocket.all;
    expect(socket.url).toBe('ws://hub/a/slurmdash/api/ws?token=to%20k');
    socket.onopen?.();
    expect(client.connected).toBe(true);
    expect(reloads()).toBe(1);
    expect(socket.sent).toEqual([
      { subscribe: ['uploads', 'jobs', 'templates', 'images'] }
    ]);
    socket.say(
      { type: 'a', channel: 'jobs', event_id: 4 },
      { type: 'b', channel: 'jobs', event_id: 5 }
    );
    expect(events.map(({ type }) => type)).toEqual(['a', 'b']);
    client.dispose();
    expect(socket.closed).toBe(true);
  });

  it('comes back with the last event id, waiting longer each time', () => {
    const { client } = start();
    FakeSocket.all[0].onopen?.();
    FakeSocket.all[0].say({ type: 'a', event_id: 9 });
    FakeSocket.all[0].onclose?.();
    expect(client.connected).toBe(false);
    jest.advanceTimersByTime(499);
    expect(FakeSocket.all).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(2);
    FakeSocket.all[1].onclose?.();
    jest.advanceTimersByTime(999);
    expect(FakeSocket.all).toHaveLength(2);
    jest.advanceTimersByTime(1);
    FakeSocket.all[2].onopen?.();
    expect(FakeSocket.all[2].sent[0]).toMatchObject({ last_event_id: 9 });
    client.dispose();
    jest.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(3);
  });

  it('asks for everything anew when the server cannot tell what was missed', () => {
    const { client, reloads, events } = start();
    FakeSocket.all[0].onopen?.();
    FakeSocket.all[0].say({ type: 'reload' });
    expect(reloads()).toBe(2);
    expect(events).toEqual([]);
    client.dispose();
  });

  it('opens one socket only', () => {
    const { client } = start();
    client.connect();
    expect(FakeSocket.all).toHaveLength(1);
    client.dispose();
    client.connect();
    expect(FakeSocket.all).toHaveLength(1);
  });
});

it('leaves out what is no event', () => {
  expect(parseFrame(new ArrayBuffer(1))).toEqual([]);
  expect(parseFrame('{')).toEqual([]);
  expect(parseFrame('[1,null,{"type":"a"},{"no":1}]')).toEqual([{ type: 'a' }]);
  expect(parseFrame('{"type":"b"}')).toEqual([{ type: 'b' }]);
});
