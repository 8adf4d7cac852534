import { field, sdkErrors, streamSchema, types } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { MemoryLedger } from '../ledger/memory-ledger.js';
import { type PlanSetting, planOf } from '../testing/plan-stream.js';
import { leftOut, streamToLeave } from './quarantined-stream.js';

const streams = [
  { stream: 'a', onFailure: 'quarantine', arrivesAs: ['a → b'] },
  { stream: 'kept', onFailure: 'stop' },
] as const;
const error = (stream?: string) =>
  sdkErrors.valueRefused('refused', { details: stream === undefined ? {} : { stream } });

it('an error quarantines the stream that it names, where the job says so', () => {
  expect(streamToLeave(error('a'), streams)).toBe('a');
  expect(streamToLeave(error('a → b'), streams)).toBe('a');
  expect(streamToLeave(error('kept'), streams)).toBeUndefined();
  expect(streamToLeave(error('unknown'), streams)).toBeUndefined();
  expect(streamToLeave(error(), streams)).toBeUndefined();
  expect(streamToLeave(Object.assign(error('a'), { class: 'transient' }), streams)).toBeUndefined();
});

it('a stream stays out until a copy of it is asked for, or everything is copied', async () => {
  const ledger = new MemoryLedger();
  const holder = { run: 'r', host: 'h', pid: 1, processStart: 's' };
  const lease = await ledger.acquire('j', holder, 1000);
  const key = { job: 'j', flow: 'f' };
  const why = { code: 'X', class: 'data', message: 'no', help: '', details: {} } as const;
  await ledger.quarantine(lease, key, 'a', { at: 3, error: why });
  expect(await leftOut(ledger, key, [])).toEqual([{ stream: 'a', at: 3, error: why }]);
  expect(await leftOut(ledger, key, ['*'])).toEqual([]);
  await ledger.requestCopies(key, ['a']);
  expect(await leftOut(ledger, key, [])).toEqual([]);
});

const schema = (stream: string) => streamSchema(stream, [field('id', types.int64)], ['id']);
const broken = sdkErrors.notSupported('it cannot be read');
const setting: PlanSetting = {
  mode: 'cdc',
  streams: [
    { schema: schema('a'), types: [] },
    { schema: schema('b'), types: [], problem: broken },
  ],
  stream: { mode: 'cdc', onFailure: 'quarantine' },
  target: () => ({ write: 'upsert' }),
  known: [schema('a'), schema('b')],
};

it('a stream that cannot be planned any more is left out of the plan', async () => {
  const plan = await planOf(setting);
  expect(plan.streams.map(({ stream }) => stream)).toEqual(['a']);
  expect(plan.quarantined).toMatchObject([{ stream: 'b', error: { code: broken.code } }]);
});

it('what is wrong with a job that never ran is told, and so is what is wrong with all of it', async () => {
  await expect(planOf({ ...setting, known: [] })).rejects.toMatchObject({ code: broken.code });
  const all = setting.streams.map((each) => ({ ...each, problem: broken }));
  await expect(planOf({ ...setting, streams: all })).rejects.toMatchObject({
    code: 'SLUICE-CORE-0117',
    message: expect.stringMatching(/a: it cannot be read .*b: it cannot be read/),
  });
});

it('it is refused for streams that no copy brings back', async () => {
  const refused = planOf({ ...setting, mode: 'full', stream: { mode: 'full', onFailure: 'quarantine' } });
  await expect(refused).rejects.toMatchObject({ code: 'SLUICE-CORE-0008' });
});
