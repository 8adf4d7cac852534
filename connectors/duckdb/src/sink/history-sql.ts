/**
 * Versions of rows: staged changes go behind the versions that the target has. Of several changes of a row at one
 * instant, in one transaction, the last makes a version.
 */
import { type StreamSchema, VALID_FROM, VALID_TO } from '@sluice/sdk';
import { OWN_PREFIX, quote } from '../tables/identifiers.js';
import { ABSENT, DELETES, SEQUENCE } from './upsert-sql.js';

const VERSIONS = `${OWN_PREFIX}versions`;
const [FROM, TO] = [quote(VALID_FROM), quote(VALID_TO)];
/** When a version begins: not before the one that it follows, whatever the source's clock says. */
const AT = `${OWN_PREFIX}at`;
const UNTIL = `${OWN_PREFIX}until`;

/**
 * A value that is left out is that of the version before, in the epoch or in the target; one that neither has, since a
 * deletion or at all, is null.
 */
export function applyVersions(
  target: string,
  stage: string,
  schema: StreamSchema,
  partial: boolean,
): string[] {
  const keys = schema.key.map(quote);
  const names = schema.fields.map((f) => quote(f.name));
  const same = (a: string, b: string) => keys.map((key) => `${a}.${key} = ${b}.${key}`).join(' AND ');
  const order = `PARTITION BY ${keys.join(', ')} ORDER BY ${SEQUENCE}`;
  const others = names.flatMap((name, i) =>
    partial && !schema.key.includes(schema.fields[i]!.name) && name !== FROM ? [{ name, at: i + 1 }] : [],
  );
  // In a struct, so that what is known to be null differs from what is not known.
  const known = others.map(
    ({ name, at }) => `last_value(CASE WHEN ${DELETES} = 1 OR coalesce(substr(${ABSENT}, ${at}, 1), '0') = '0'
      THEN struct_pack(v := CASE WHEN ${DELETES} = 0 THEN ${name} END) END IGNORE NULLS) OVER (${order}) AS k${at}`,
  );
  const filled = names.map((name, i) => {
    const k = others.find(({ at }) => at === i + 1);
    return k === undefined
      ? `s.${name}`
      : `CASE WHEN s.k${k.at} IS NULL THEN o.${name} ELSE s.k${k.at}.v END AS ${name}`;
  });
  const values = names.map((name) => (name === FROM ? AT : name === TO ? UNTIL : name));
  const first = `(SELECT ${keys.join(', ')}, min(${AT}) AS at FROM temp.main.${VERSIONS} GROUP BY ALL) AS f`;
  return [
    `CREATE OR REPLACE TEMP TABLE ${VERSIONS} AS
     WITH s AS (SELECT ${['*', `max(${FROM}) OVER (${order}) AS latest`, ...known].join(', ')} FROM ${stage})
     SELECT ${[...filled, `s.${DELETES}`, `s.${SEQUENCE}`].join(', ')}, greatest(s.latest, coalesce(o.${FROM}, s.latest)) AS ${AT}
     FROM s LEFT JOIN ${target} AS o ON ${same('s', 'o')} AND o.${TO} IS NULL
     QUALIFY row_number() OVER (PARTITION BY ${keys.map((key) => `s.${key}`).join(', ')}, ${AT} ORDER BY s.${SEQUENCE} DESC) = 1`,
    `DELETE FROM ${target} AS t USING ${first} WHERE ${same('t', 'f')} AND t.${TO} IS NULL AND t.${FROM} = f.at`,
    `UPDATE ${target} AS t SET ${TO} = f.at FROM ${first} WHERE ${same('t', 'f')} AND t.${TO} IS NULL`,
    `INSERT INTO ${target} (${names.join(', ')}) SELECT ${values.join(', ')} FROM (
       SELECT *, lead(${AT}) OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${AT}) AS ${UNTIL} FROM temp.main.${VERSIONS})
     WHERE ${DELETES} = 0`,
    `DROP TABLE temp.main.${VERSIONS}`,
  ];
}
