/** Polls that would find nothing need no lane: the source is asked about all of them at once. */
import type { Attempt } from './attempt.js';
import type { SplitLane } from './lane-groups.js';

/** What goes wrong with the question goes wrong with the lanes as well, which say more. */
export async function withoutIdle(
  attempt: Attempt,
  lanes: readonly SplitLane[],
): Promise<readonly SplitLane[]> {
  const { plan, context } = attempt.run;
  const polls = lanes.filter(({ split }) => split.phase === 'poll');
  if (polls.length === 0 || plan.source.idle === undefined) return lanes;
  const places = polls.map(({ split, at }) => ({
    split,
    at,
    reads: attempt.plansOf(split).map(({ read }) => read),
  }));
  const answers = await plan.source.idle(places, context).catch((error: unknown) => {
    context.log.debug('it is not known which streams have nothing new', { error: String(error) });
    return [];
  });
  const idle = new Set(polls.filter((_, i) => answers[i] === true));
  return lanes.filter((lane) => !idle.has(lane));
}
