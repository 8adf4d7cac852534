/** Compares a log of the audited table's changes with what the audit says. */
import assert from 'node:assert/strict';
import type { FollowedDatabase } from './followed-database.js';

/** Rows as `key|what`, by key in their order. */
function byKey(text: string): Map<string, string[]> {
  const events = new Map<string, string[]>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [id, event] = line.split('|') as [string, string];
    events.set(id, [...(events.get(id) ?? []), event]);
  }
  return events;
}

/**
 * Since the last copy, the log has of every key exactly what the audit has behind some place, and that place is where
 * the copy stands: each change once, none missing. Of the time before, no change is there twice. Throws where it is not
 * so; answers with how many changes there are.
 */
export async function changesOnce({ atSource, inTarget }: FollowedDatabase): Promise<number> {
  const audit = byKey(
    await atSource("SELECT id, op || ' ' || COALESCE(v::text, '') FROM audit ORDER BY seq"),
  );
  const log = byKey(
    await inTarget(
      `SELECT id, _op || ' ' || COALESCE(v::text, '') FROM items
       WHERE id IS NOT NULL AND _position > COALESCE((SELECT max(_position) FROM items WHERE _op = 'truncate'), '')
       ORDER BY _position COLLATE "C"`,
    ),
  );
  let changes = 0;
  for (const [id, made] of audit) {
    const [first, ...rest] = log.get(id) ?? [];
    const copied = first?.startsWith('copy ') ? first.replace('copy ', '') : undefined;
    const logged = copied === undefined ? (log.get(id) ?? []) : rest;
    changes += logged.length;
    const behind = made.slice(made.length - logged.length);
    assert.deepEqual(logged, behind, `changes of ${id}: ${logged} in the log, ${behind} in the audit`);
    const last = made[made.length - logged.length - 1]?.split(' ')[1] ?? '';
    assert.equal(last, copied ?? '', `the copy of ${id}`);
  }
  assert.deepEqual(
    [...log.keys()].filter((id) => !audit.has(id)),
    [],
    'keys that never were',
  );
  const twice = "SELECT v FROM items WHERE _op IN ('insert', 'update') GROUP BY v HAVING count(*) > 1";
  assert.equal(await inTarget(twice), '', 'changes that are there twice');
  return changes;
}
