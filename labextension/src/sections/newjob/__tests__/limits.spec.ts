import type { Limits } from '../../../api/types';
import { Problem } from '../../../problem';
import { loadText } from '../../../text';
import { asked, beyondLimits, boundHelp } from '../limits';
import { LimitsModel } from '../limitsmodel';
import { settle } from './fakes';
import words from './limit_words.json';

const trans = loadText();

/** The server's own test reads this file too: both say the same. */
const WORDS = words as unknown as Array<{
  limits: Limits;
  cases: Array<[string, string, string | null]>;
}>;

const [GPU, SHORT] = WORDS.map(({ limits }) => limits);

describe('limits in words', () => {
  it.each(
    WORDS.flatMap(({ limits, cases }) => cases.map(one => ({ limits, one })))
  )(
    'has the words of the server: $one',
    ({ limits, one: [option, value, message] }) => {
      const found = beyondLimits(trans, limits, name =>
        name === option ? value : ''
      );
      expect([...found]).toEqual(
        message === null ? [] : [[`/options/${option}`, message]]
      );
    }
  );

  it('leaves to the server what is no amount', () => {
    expect(asked('time', 'soon')).toBeNull();
    expect(asked('mem', 'much')).toBeNull();
    expect(asked('nodes', '')).toBeNull();
    expect(asked('gpus', '3')).toBe(3);
  });

  it('tells the most beside the field, and on whose word', () => {
    expect(boundHelp(trans, GPU, 'time')).toBe('at most 8:00:00 on gpu');
    expect(boundHelp(trans, GPU, 'mem')).toBe('at most 64 GB on gpu');
    expect(boundHelp(trans, SHORT, 'time')).toBe(
      'at most 30:00 with QOS short'
    );
    expect(boundHelp(trans, SHORT, 'gpus')).toBe(
      'at most 1 for account research'
    );
    const none = { ...GPU, bounds: { gpus: { maximum: 0, source: 'nodes' } } };
    expect(boundHelp(trans, none, 'gpus')).toBe('gpu has none');
    expect(boundHelp(trans, none, 'time')).toBeUndefined();
  });
});

describe('LimitsModel', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  function setup() {
    const asks: Array<{
      key: string;
      done: (answer: Limits | Problem) => void;
    }> = [];
    const model = new LimitsModel({
      client: {
        getLimits: (...parts) =>
          new Promise((resolve, reject) =>
            asks.push({
              key: parts.slice(0, 3).join('/'),
              done: answer =>
                answer instanceof Problem ? reject(answer) : resolve(answer)
            })
          )
      }
    });
    return { model, asks };
  }

  it('asks at once for another partition, and shows none of the old one meanwhile', async () => {
    const { model, asks } = setup();
    model.choose('gpu', '', '');
    expect(model.state).toBe('loading');
    asks[0].done(GPU);
    await settle(0);
    expect(model.limits).toBe(GPU);
    model.choose('cpu', '', '');
    expect(model.limits).toBeNull();
    expect(asks.map(({ key }) => key)).toEqual(['gpu//', 'cpu//']);
    model.choose('gpu', '', '');
    expect(model.limits).toBe(GPU);
    expect(model.state).toBe('known');
    asks[1].done(SHORT);
    await settle(0);
    expect(model.limits).toBe(GPU);
  });

  it('waits for a pause while an account is typed, with the bounds of before', async () => {
    const { model, asks } = setup();
    model.choose('gpu', '', '');
    asks[0].done(GPU);
    await settle(0);
    model.choose('gpu', 'r', '');
    model.choose('gpu', 're', '');
    expect(model.limits).toBe(GPU);
    await settle(300);
    expect(asks.map(({ key }) => key)).toEqual(['gpu//', 'gpu/re/']);
    expect(model.hasAccounts).toBe(false);
    asks[1].done(SHORT);
    await settle(0);
    expect(model.hasAccounts).toBe(true);
  });

  it('says that Slurm is silent, and asks again', async () => {
    const { model, asks } = setup();
    model.choose('gpu', '', '');
    asks[0].done(new Problem({ code: 'scheduler-unavailable', status: 503 }));
    await settle(0);
    expect(model.state).toBe('silent');
    model.retry();
    asks[1].done(GPU);
    await settle(0);
    expect(model.state).toBe('known');
    model.retry();
    expect(asks).toHaveLength(2);
    model.refresh();
    expect(asks).toHaveLength(3);
  });

  it('has nothing to say of a partition that is not there, and of none', async () => {
    const { model, asks } = setup();
    model.choose('gone', '', '');
    asks[0].done(new Problem({ code: 'not-found', status: 404 }));
    await settle(0);
    expect(model.state).toBe('none');
    model.choose('', '', '');
    expect(model.limits).toBeNull();
    model.retry();
    model.refresh();
    expect(asks).toHaveLength(1);
  });
});
