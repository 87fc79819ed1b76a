import type { IStateDB } from '@jupyterlab/statedb';

import type { IStored } from '../../sections/newjob/store';
import { DraftStore } from '../draftstore';

const stored = (name: string) => ({ draft: name }) as unknown as IStored;

function fakeState(initial?: unknown) {
  const saved: unknown[] = [];
  const state = {
    fetch: async () => initial,
    save: async (_: string, value: unknown) => void saved.push(value)
  } as unknown as IStateDB;
  return { state, saved };
}

describe('DraftStore', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    localStorage.clear();
  });
  afterEach(() => jest.useRealTimers());

  it('saves at once in the browser, and a little later in the workspace', async () => {
    const { state, saved } = fakeState();
    const store = new DraftStore({ state, now: () => 5 });
    store.save(stored('a'));
    store.save(stored('b'));
    expect(await new DraftStore({}).load()).toEqual({ draft: 'b' });
    expect(saved).toEqual([]);
    jest.advanceTimersByTime(300);
    expect(saved).toEqual([{ savedAt: 5, stored: { draft: 'b' } }]);
  });

  it('takes the newer of the two', async () => {
    new DraftStore({ now: () => 5 }).save(stored('here'));
    const older = fakeState({ savedAt: 1, stored: { draft: 'there' } });
    expect(await new DraftStore(older).load()).toEqual({ draft: 'here' });
    const newer = fakeState({ savedAt: 9, stored: { draft: 'there' } });
    expect(await new DraftStore(newer).load()).toEqual({ draft: 'there' });
  });

  it('works with a storage that is full or broken', async () => {
    const storage = {
      getItem: () => '{',
      setItem: () => {
        throw new Error('full');
      }
    } as unknown as Storage;
    const store = new DraftStore({ storage });
    store.save(stored('a'));
    expect(await store.load()).toBeUndefined();
  });
});
