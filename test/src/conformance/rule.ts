/**
 * Rules: each is one sentence of `docs/spec/connector.md` with the check that proves it. A check throws when the
 * connector breaks the rule; it knows nothing of the test runner, so that it can be run on its own.
 */

/** What a check works with: the connector under test, opened as often as it likes. */
export interface Session {
  /** Closes whatever the check opened and left open. */
  end(): Promise<void>;
}

export interface Rule<S extends Session> {
  /** `SRC-07`: stable, and cited by the specification and by the test's title. */
  readonly id: string;
  /** The sentence of the specification, word for word; it says MUST or SHOULD. */
  readonly must: string;
  /** What an author whose connector breaks the rule looks at and changes. */
  readonly fix: string;
  check(session: S): Promise<void>;
}

/** Thrown by checks: what the connector did, here and now. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** What tests fail with: the rule, what happened, and what to do. */
export class RuleBroken extends Error {
  override readonly name = 'RuleBroken';
  readonly rule: string;

  constructor(rule: Pick<Rule<Session>, 'id' | 'must' | 'fix'>, cause: unknown) {
    super(`${rule.id} is broken: ${rule.must}\n\nHappened: ${happened(cause)}\n\nTo do: ${rule.fix}\n`, {
      cause,
    });
    this.rule = rule.id;
  }
}

function happened(cause: unknown): string {
  if (cause instanceof Violation) return cause.message;
  if (!(cause instanceof Error)) return `a verb failed with ${String(cause)}`;
  const code = 'code' in cause ? ` (${String(cause.code)})` : '';
  return `a verb failed that should have worked: ${cause.name}${code}: ${cause.message}`;
}

/** Runs one rule on a session of its own. Throws {@link RuleBroken}. */
export async function prove<S extends Session>(rule: Rule<S>, begin: () => Promise<S>): Promise<void> {
  const session = await begin();
  let broken: RuleBroken | undefined;
  try {
    await rule.check(session);
  } catch (error) {
    broken = new RuleBroken(rule, error);
  }
  try {
    await session.end();
  } catch (error) {
    broken ??= new RuleBroken(rule, error);
  }
  if (broken !== undefined) throw broken;
}

/** Throws a {@link Violation} unless the condition holds. */
export function demand(condition: boolean, otherwise: string | (() => string)): asserts condition {
  if (!condition) throw new Violation(typeof otherwise === 'string' ? otherwise : otherwise());
}
