/** Rules of staged epochs: prepared, recovered, published once. */
import { isDeepStrictEqual } from 'node:util';
import type { RecoveredState, Token } from '@sluice/sdk';
import { demandCoded } from '../coded-error.js';
import { demandJson, throughJson } from '../json-trip.js';
import { outcome } from '../patience.js';
import { demand, Violation } from '../rule.js';
import { show } from '../show.js';
import { finish } from './commit-rules.js';
import { orderRange, orders } from './sample-rows.js';
import type { SinkCase, SinkRule } from './sink-rule.js';
import type { SinkLane, SinkRun } from './sink-run.js';
import type { SinkSession } from './sink-subject.js';

const twoPhase = ({ protocol }: SinkCase): boolean => protocol === 'two-phase';

export const twoPhaseRules: readonly SinkRule[] = [
  {
    id: 'SNK-39',
    per: 'mode',
    reads: true,
    concerns: twoPhase,
    must: 'A prepared epoch MUST survive its run invisibly, be called committable by recover, and be published once by commitPrepared, with its record.',
    fix: 'Stage durably under a name that the token holds; commitPrepared() publishes from the name alone.',
    async check(session) {
      const { token } = await prepareOne(session, orderRange(0, 4));
      demandJson(token, 'the token');
      await demandVisible(session, [], 'rows that are prepared and not committed');
      const next = await session.run();
      demandStates(await recover(next, [token]), ['committable'], 'a prepared epoch');
      await commitPrepared(next, [token]);
      await session.crash();
      const { record } = await session.run();
      demand(
        record?.splits['orders/0']?.epoch === 1,
        () => `after commitPrepared of epoch 1 the record stands at ${show(record?.splits)}`,
      );
      await finish(session);
      await demandVisible(session, orderRange(0, 4), 'rows after commitPrepared');
    },
  },
  {
    id: 'SNK-40',
    per: 'mode',
    concerns: twoPhase,
    must: 'recover MUST answer each token, in order: committed, committable, or lost when nothing is known of it.',
    fix: 'Ask the record first (its epoch is not below the token’s: committed), then the staging area; a token that is not understood is lost.',
    async check(session) {
      const { run, lane, token } = await prepareOne(session, orderRange(0, 2));
      await commitToken(lane, token);
      const second = await prepare(lane, orderRange(2, 4), 2);
      await run.closeLane(lane);
      await session.crash();
      const nonsense: Token = throughJson({ ...token, kit: 'nonsense' });
      for (const key of Object.keys(token))
        nonsense[key] = typeof token[key] === 'number' ? 4711 : 'nonsense';
      const next = await session.run();
      const wanted = ['lost', 'committed', 'committable', 'lost'] as const;
      demandStates(
        await recover(next, [nonsense, token, second, {}]),
        wanted,
        'nonsense, epoch 1, epoch 2 and an empty token',
      );
      demandStates(
        await recover(next, [second, token]),
        ['committable', 'committed'],
        'epoch 2 and epoch 1, asked again',
      );
      demandStates(await recover(next, []), [], 'no token');
    },
  },
  {
    id: 'SNK-41',
    per: 'mode',
    reads: true,
    concerns: twoPhase,
    must: 'Committing a token that is committed MUST change nothing, by commit and by commitPrepared, in the same object and in others.',
    fix: 'Look at the record before publishing; a staged object that is gone because it was published is no error.',
    async check(session) {
      const { run, lane, token } = await prepareOne(session, orderRange(0, 3));
      await commitToken(lane, token);
      await commitToken(lane, token);
      await commitPrepared(run, [token]);
      const second = await prepare(lane, orderRange(3, 5), 2);
      await session.crash();
      for (let time = 0; time < 2; time++) {
        const next = await session.run();
        await commitPrepared(next, [token, second]);
        await commitPrepared(next, [second]);
        await session.crash();
      }
      const { record } = await session.run();
      demand(
        record?.splits['orders/0']?.epoch === 2,
        () => `epochs 1 and 2 were committed, the record stands at ${show(record?.splits)}`,
      );
      await finish(session);
      await demandVisible(
        session,
        orderRange(0, 5),
        'rows of two epochs that were committed again and again',
      );
    },
  },
  {
    id: 'SNK-42',
    per: 'mode',
    reads: true,
    concerns: twoPhase,
    must: 'An epoch that an earlier run prepared and the ledger does not know MUST NOT become visible when the epoch is written again.',
    fix: 'Name staged epochs by epoch and fence, and publish only what the committed token names.',
    async check(session) {
      await prepareOne(session, orderRange(0, 3));
      await session.crash();
      const next = await session.run();
      const lane = await next.lane(await next.begin(orders()));
      await lane.write(orderRange(10, 12));
      await lane.commit({ number: 1, sealed: true });
      await finish(session);
      await demandVisible(session, orderRange(10, 12), 'rows of epoch 1 as the second run wrote it');
    },
  },
  {
    id: 'SNK-43',
    per: 'mode',
    reads: true,
    concerns: twoPhase,
    must: 'A token that was prepared under an older fence MUST NOT be committed by its writer after a newer attach.',
    fix: 'Check the fence in commit(token), in the step that makes it visible; commitPrepared() of the newer run publishes it.',
    async check(session) {
      const { lane, token } = await prepareOne(session, orderRange(0, 3));
      const next = await session.run();
      const late = await outcome(commitToken(lane, token));
      demand('error' in late, 'a writer under an older fence has committed its token after a newer attach');
      demandCoded(late.error, 'a commit under an older fence');
      await commitPrepared(next, [token]);
      await finish(session);
      await demandVisible(session, orderRange(0, 3), 'rows of an epoch that the newer run has committed');
    },
  },
];

async function prepareOne(session: SinkSession, rows: ReturnType<typeof orderRange>) {
  const run = await session.run();
  const lane = await run.lane(await run.begin(orders()));
  return { run, lane, token: await prepare(lane, rows, 1) };
}

async function prepare(lane: SinkLane, rows: ReturnType<typeof orderRange>, number: number): Promise<Token> {
  const { writer } = lane;
  if (writer.protocol !== 'two-phase') throw new Violation(`the writer’s protocol is ${writer.protocol}`);
  await lane.write(rows);
  return throughJson(await writer.prepare(lane.epoch({ number })));
}

async function commitToken({ writer }: SinkLane, token: Token): Promise<void> {
  if (writer.protocol !== 'two-phase') throw new Violation(`the writer’s protocol is ${writer.protocol}`);
  await writer.commit(throughJson(token));
}

async function recover(
  { sink, job, context }: SinkRun,
  tokens: readonly Token[],
): Promise<readonly RecoveredState[]> {
  demand(sink.recover !== undefined, 'a two-phase sink has no verb recover');
  return sink.recover(job, throughJson(tokens), context);
}

async function commitPrepared({ sink, job, context }: SinkRun, tokens: readonly Token[]): Promise<void> {
  demand(sink.commitPrepared !== undefined, 'a two-phase sink has no verb commitPrepared');
  await sink.commitPrepared(job, throughJson(tokens), context);
}

function demandStates(
  found: readonly RecoveredState[],
  wanted: readonly RecoveredState[],
  what: string,
): void {
  demand(
    isDeepStrictEqual(found, wanted),
    () => `recover of ${what} answers ${show(found)}, expected ${show(wanted)}`,
  );
}

async function demandVisible(
  session: SinkSession,
  wanted: ReturnType<typeof orderRange>,
  what: string,
): Promise<void> {
  const [table] = await session.withSink((sink, context) => sink.plan([session.streamOf(orders())], context));
  await session.demandRows(table!, wanted, what);
}
