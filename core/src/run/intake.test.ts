import { Batch, checkpoint, type Message, type Reader, streamSchema, types } from '@sluice/sdk';
import { expect, it, vi } from 'vitest';
import { Budget } from './budget.js';
import { Intake } from './intake.js';
import { Pace } from './pace.js';

const NEVER = new AbortController().signal;
const schema = streamSchema('notes', [{ name: 'text', type: types.string, nullable: false }], []);

function batch(byteSize: number, texts: readonly string[] = ['']): Batch {
  return Batch.ofRows(
    schema,
    texts.map((text) => ({ text })),
    { byteSize },
  );
}

function reader(...messages: readonly Message[]): Reader {
  return {
    async *[Symbol.asyncIterator]() {
      yield* messages;
    },
    async close() {},
  };
}

it('holds a batch from its arrival until it is done with', async () => {
  const budget = new Budget(1000);
  const intake = await Intake.admit({ budget, paces: [] }, 10, NEVER);
  const messages = intake.of(reader(batch(300), checkpoint(1)));
  const first = await messages.next();
  expect(budget.held).toBe(300);
  const second = await messages.next();
  intake.done(first.value as Message);
  intake.done(second.value as Message);
  expect(budget.held).toBe(0);
  expect(await messages.next()).toMatchObject({ done: true });
});

it('refuses a row that is larger than the budget', async () => {
  const intake = await Intake.admit({ budget: new Budget(1000), paces: [] }, 10, NEVER);
  const messages = intake.of(reader(batch(2010, ['short', 'x'.repeat(2000), 'short'])));
  await expect(messages.next()).rejects.toMatchObject({
    code: 'SLUICE-CORE-0114',
    class: 'data',
    details: { stream: 'notes', budget: 1000 },
  });
});

it('takes a batch that is larger than the budget when none of its rows is', async () => {
  const budget = new Budget(1000);
  const intake = await Intake.admit({ budget, paces: [] }, 10, NEVER);
  const messages = intake.of(reader(batch(2000, new Array(4).fill('x'.repeat(500)))));
  expect(await messages.next()).toMatchObject({ done: false });
  expect(budget.held).toBe(2000);
});

it('reads on when the pace allows it, in all lanes together, and by the slower of several paces', async () => {
  vi.useFakeTimers();
  try {
    const paces = [new Pace({ rowsPerSecond: 1 }, Date.now), new Pace({ bytesPerSecond: 100 }, Date.now)];
    const metering = { budget: new Budget(10_000), paces };
    const came: string[] = [];
    const begun = Date.now();
    const lane = async (name: string, ...sizes: readonly number[]) => {
      const intake = await Intake.admit(metering, 10, NEVER);
      const messages = intake.of(reader(...sizes.map((size) => batch(size))));
      for (;;) {
        const { done, value } = await messages.next();
        if (done === true) break;
        came.push(`${name} ${value.kind === 'batch' ? value.byteSize : ''} at ${Date.now() - begun}`);
        intake.done(value);
      }
      intake.leave();
    };
    const lanes = Promise.all([lane('a', 300, 0), lane('b', 100, 0)]);
    await vi.runAllTimersAsync();
    await lanes;
    expect(came).toEqual(['a 300 at 0', 'b 100 at 0', 'a 0 at 2000', 'b 0 at 3000']);
  } finally {
    vi.useRealTimers();
  }
});

it('keeps no pace once it should hurry', async () => {
  const hurry = new AbortController();
  const paces = [new Pace({ rowsPerSecond: 1 / 3600 })];
  const intake = await Intake.admit({ budget: new Budget(1000), paces }, 10, hurry.signal);
  const messages = intake.of(reader(batch(1), checkpoint(1)));
  await messages.next();
  const next = messages.next();
  hurry.abort();
  expect(await next).toMatchObject({ value: { kind: 'checkpoint' } });
});

it('waits also for a pace that takes longer than a timer can', async () => {
  vi.useFakeTimers();
  try {
    const paces = [new Pace({ bytesPerSecond: 1 / 3600 }, Date.now)];
    const intake = await Intake.admit({ budget: new Budget(10_000), paces }, 10, NEVER);
    const messages = intake.of(reader(batch(5000), checkpoint(1)));
    await messages.next();
    let came = false;
    const next = messages.next().finally(() => {
      came = true;
    });
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(came).toBe(false);
    intake.leave();
    await next;
  } finally {
    vi.useRealTimers();
  }
});

it('does not go on waiting for its pace when the lane has ended', async () => {
  const paces = [new Pace({ rowsPerSecond: 1 / 3600 })];
  const intake = await Intake.admit({ budget: new Budget(1000), paces }, 10, NEVER);
  const messages = intake.of(reader(batch(1), batch(1)));
  await messages.next();
  const next = messages.next();
  intake.leave();
  expect(await next).toMatchObject({ done: true });
});
