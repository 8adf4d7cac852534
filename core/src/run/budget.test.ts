import { Batch, type Message, type Reader, streamSchema, types } from '@sluice/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget } from './budget.js';
import { Intake } from './intake.js';

const NEVER = new AbortController().signal;
const schema = streamSchema('notes', [{ name: 'text', type: types.string, nullable: false }], []);

function batch(byteSize: number): Batch {
  return Batch.ofRows(schema, [{ text: '' }], { byteSize });
}

/** What has settled once everything that can happen now has happened. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

describe('a budget', () => {
  it('lets lanes in while their floors fit, in the order of asking', async () => {
    const budget = new Budget(100);
    const first = await budget.admit(60);
    const second = budget.admit(50);
    const third = budget.admit(10);
    expect(await settled(second)).toBe(false);
    expect(await settled(third)).toBe(false);
    first.leave();
    first.leave();
    expect(await settled(second)).toBe(true);
    expect(await settled(third)).toBe(true);
  });

  it('runs a lane alone whose floor is larger than the budget', async () => {
    const budget = new Budget(100);
    const large = await budget.admit(1000);
    expect(await large.mayRead()).toBe(true);
    const other = budget.admit(1);
    expect(await settled(other)).toBe(false);
    large.leave();
    expect(await settled(other)).toBe(true);
  });

  it('stops reading in all lanes while more is held than it has', async () => {
    const budget = new Budget(100);
    const hungry = await budget.admit(10);
    const modest = await budget.admit(10);
    hungry.hold(91);
    const waiting = modest.mayRead();
    expect(await settled(waiting)).toBe(false);
    hungry.release(1);
    expect(await waiting).toBe(true);
  });

  it('does not let a lane wait on that has left', async () => {
    const budget = new Budget(100);
    const hungry = await budget.admit(10);
    const leaving = await budget.admit(10);
    hungry.hold(500);
    const waiting = leaving.mayRead();
    leaving.leave();
    expect(await waiting).toBe(false);
  });

  it('takes back all that a lane held when it ends on the way', async () => {
    const budget = new Budget(100);
    const failed = await budget.admit(10);
    failed.hold(500);
    failed.leave();
    failed.release(500);
    expect(budget.held).toBe(0);
    expect(await (await budget.admit(100)).mayRead()).toBe(true);
  });
});

/** A lane of the property: batches come from a source, and each passes through stages one after the other. */
interface Pipeline {
  readonly batches: readonly number[];
  /** What each stage makes of a batch, as a multiple of its bytes: hungry ones hold that too. */
  readonly stages: readonly number[];
  /** Whether the source does not end by itself, and rests until no other lane is at work. */
  readonly rests: boolean;
}

const pipelineArbitrary = fc.record({
  batches: fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 6 }),
  stages: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }),
  rests: fc.boolean(),
});

it('is never exceeded by more than a batch a stage, and lets every pipeline finish, in any order of steps', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(pipelineArbitrary, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 20, max: 400 }),
      fc.integer({ min: 1, max: 40 }),
      async (scheduler, pipelines, bytes, batchBytes) => {
        const budget = new Budget(bytes);
        const working = new Set<number>();
        const resting: (() => void)[] = [];
        let finished = 0;
        let most = 0;
        const run = async ({ batches, stages, rests }: Pipeline, name: number) => {
          const lane = await budget.admit((stages.length + 1) * batchBytes);
          working.add(name);
          const intake = new Intake(lane, [], NEVER);
          const messages = intake.of(source(batches, rests, name));
          let next = messages.next();
          for (;;) {
            const { done, value } = await next;
            if (done === true) break;
            next = messages.next();
            for (const hunger of stages) {
              const made = (value as Batch).byteSize * hunger;
              lane.hold(made);
              most = Math.max(most, budget.held);
              await scheduler.schedule(Promise.resolve(), `${name} works`);
              lane.release(made);
            }
            intake.done(value);
          }
          intake.leave();
          finished++;
          rest(name);
        };
        const source = (batches: readonly number[], rests: boolean, name: number): Reader => ({
          async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
            for (const size of batches) {
              await scheduler.schedule(Promise.resolve(), `${name} reads`);
              yield batch(size);
            }
            if (!rests) return;
            const woken = new Promise<void>((resolve) => resting.push(resolve));
            rest(name);
            await woken;
          },
          async close() {},
        });
        const rest = (name: number) => {
          working.delete(name);
          if (working.size === 0) for (const wake of resting.splice(0)) wake();
        };
        pipelines.forEach(run);
        await scheduler.waitIdle();
        expect(finished).toBe(pipelines.length);
        expect(budget.held).toBe(0);
        expect(most).toBeLessThanOrEqual(bytes + pipelines.reduce((sum, one) => sum + overdraft(one), 0));
      },
    ),
    { numRuns: 300 },
  );
});

/** The most that one lane may add once reading has stopped: a batch where it is read, one in its hungriest stage. */
function overdraft({ batches, stages }: Pipeline): number {
  return Math.max(0, ...batches) * (1 + Math.max(...stages));
}
