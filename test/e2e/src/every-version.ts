/** Compares versions of the audited table's rows with what the audit says. */
import assert from 'node:assert/strict';
import type { Dump } from '@sluice/test';
import type { FollowedDatabase } from './followed-database.js';

type Cells = (string | null)[];

/** The rows of a dump, each in its cells; no value has a comma in it. */
export const cellsOf = ({ rows }: Dump): Cells[] =>
  rows.map((line) => line.split(',').map((cell) => (cell === '' ? null : cell.replaceAll('"', ''))));

/** The rows by their first cell, in the order of the second. */
function byKey(dump: Dump): Map<string, Cells[]> {
  const found = new Map<string, Cells[]>();
  for (const [key, ...cells] of cellsOf(dump).sort((a, b) => Number(a[1]) - Number(b[1])))
    found.set(key!, [...(found.get(key!) ?? []), cells]);
  return found;
}

/**
 * By key, what it was at the end of each transaction that changed it: the number of its state, its large value, and
 * whether it came by a change of the key.
 */
const MADE = `SELECT id, seq, v, bio, (SELECT moved FROM audit b WHERE b.seq = born) AS moved FROM (
    SELECT *, lead(tx) OVER (PARTITION BY id ORDER BY seq) AS next,
           max(seq) FILTER (WHERE op <> 'update') OVER (PARTITION BY id ORDER BY seq) AS born FROM audit) a
  WHERE next IS DISTINCT FROM tx`;
const KEPT = `SELECT CAST(id AS text) AS id, CAST(row_number() OVER (ORDER BY _valid_from) AS text) AS n, CAST(v AS text) AS v, md5(bio) AS bio, CAST(_valid_to IS NULL AS text) AS is_last,
    CAST(_valid_to = lead(_valid_from) OVER (PARTITION BY id ORDER BY _valid_from) AS text) AS meets,
    CAST(_valid_from < COALESCE(_valid_to, 'infinity') AS text) AS lasts
  FROM public.items`;

/**
 * Each target has, of every key, a version for each of its states since the copy, and the versions meet. Throws where it
 * is not so; answers with how many keys have several versions.
 */
export async function versionsOfEach(followed: FollowedDatabase): Promise<number> {
  const made = byKey(await followed.dumpSource(MADE));
  const several = Object.entries(await followed.dumpTargets(KEPT)).map(([name, kept]) => {
    const versions = byKey(kept);
    for (const [id, states] of made) compareVersions(`${id} in ${name}`, states, versions.get(id) ?? []);
    return [...versions.values()].filter((own) => own.length > 2).length;
  });
  return Math.min(...several);
}

function compareVersions(what: string, states: readonly Cells[], own: readonly Cells[]): void {
  const begin = own.length === 0 ? states.length - 1 : states.findIndex(([, v]) => v === own[0]![1]);
  const wanted = states.slice(begin);
  const living = wanted.filter(([, v]) => v !== null);
  const numbers = own.map(([, v]) => v);
  assert.deepEqual(
    numbers,
    living.map(([, v]) => v),
    `versions of ${what}: ${numbers}`,
  );
  for (const [, v, bio, isLast, meets, lasts] of own) {
    const at = wanted.findIndex((state) => state[1] === v);
    const next = wanted[at + 1];
    // The log does not have the large value of a row that moves: it is what the table has when that is read.
    const [, , was, moved] = wanted[at]!;
    if (moved === null) assert.equal(bio, was, `bio of version ${v} of ${what}`);
    assert.deepEqual([v, isLast, lasts], [v, String(next === undefined), 'true'], `version ${v} of ${what}`);
    if (next !== undefined && next[1] !== null) assert.equal(meets, 'true', `end of version ${v} of ${what}`);
  }
}
