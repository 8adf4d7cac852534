import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Batch, field, streamSchema, types, UNCHANGED } from '@sluice/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applied, bindTransform, errorOf } from './testing.js';

const schema = streamSchema(
  'people',
  [field('id', types.int64, { nullable: false }), field('name', types.string)],
  ['id'],
);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-js-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** Writes a module and binds the transform to it. */
function bind(source: string, options: object = {}) {
  const module = `./module-${count++}.mjs`;
  writeFileSync(join(folder, module), source);
  return bindTransform('js', schema, { module, ...options }, folder);
}
const rows = [
  { id: 1n, name: 'Ada' },
  { id: 2n, name: null },
];

describe('a function of rows', () => {
  it('changes, drops and adds rows without touching what it was given', async () => {
    const bound = await bind(`export default (row) => {
      if (row.name === null) return null;
      row.name = row.name.toUpperCase();
      return [row, { id: row.id + 100n, name: 'copy' }];
    };`);
    const batch = Batch.ofRows(schema, rows);
    expect(applied(bound, batch).rows()).toEqual([
      { id: 1n, name: 'ADA' },
      { id: 101n, name: 'copy' },
    ]);
    expect(batch.rows()).toEqual(rows);
    expect(bound).toMatchObject({
      rung: 'rows',
      reads: ['id', 'name'],
      writes: ['id', 'name'],
      out: schema,
    });
  });

  it('yields the columns that it exports or the job declares', async () => {
    const source =
      'export const schema = { id: "int64", size: "int32" }; export default ({ id, name }) => ({ id, size: name?.length ?? null });';
    const bound = await bind(source);
    expect(bound.out.fields).toEqual([field('id', types.int64), field('size', types.int32)]);
    expect(applied(bound, Batch.ofRows(schema, rows)).rows()).toEqual([
      { id: 1n, size: 3 },
      { id: 2n, size: null },
    ]);
    const declared = await bind(source, { columns: { id: 'string', size: 'string' } });
    expect(declared.out.fields.map((f) => f.type.kind)).toEqual(['string', 'string']);
    const typed = await bind(
      `import { t } from ${JSON.stringify(import.meta.resolve('@sluice/sdk'))}; export const schema = { id: t.int64 }; export default ({ id }) => ({ id });`,
    );
    expect(typed.out.fields).toEqual([field('id', types.int64, { nullable: false })]);
  });

  it('must keep the key, or say what it is instead', async () => {
    const source = 'export const schema = { n: "string" }; export default (row) => ({ n: row.name });';
    expect((await errorOf(() => bind(source))).code).toBe('SLUICE-TRANSFORM-0003');
    expect((await bind(source, { key: [] })).out.key).toEqual([]);
    expect((await bind(source, { key: ['n'] })).out.key).toEqual(['n']);
    expect((await errorOf(() => bind(source, { key: ['m'] }))).code).toBe('SLUICE-TRANSFORM-0001');
  });

  it.each([
    ['throws', '() => { throw new Error("broken"); }', /the function threw: broken/],
    ['returns something else', '() => 7', /returned number/],
    ['is asynchronous', 'async (row) => row', /must be synchronous/],
    ['misspells a column', '(row) => ({ ...row, nmae: "x" })', /unknown column "nmae"; did you mean "name"/],
  ])('is named with the row when it %s', async (_, source, expected) => {
    const bound = await bind(`export default ${source};`);
    const error = await errorOf(() => bound.apply(Batch.ofRows(schema, rows)));
    expect(error).toMatchObject({
      code: 'SLUICE-TRANSFORM-0010',
      class: 'data',
      details: { stream: 'people', row: 0 },
    });
    expect(error.message).toMatch(expected);
    expect(error.message).toContain('module-');
  });

  it('has its values checked at once', async () => {
    const bound = await bind('export default (row) => ({ ...row, id: "x" });');
    expect((await errorOf(() => bound.apply(Batch.ofRows(schema, rows)))).code).toBe('SLUICE-SDK-0001');
  });
});

describe('a function of rows over changes', () => {
  const upper =
    'export default (row) => (row.name === "gone" ? null : { ...row, name: String(row.name).toUpperCase() });';

  it('makes a delete of a row that it drops, and passes deletes', async () => {
    const bound = await bind(upper);
    const batch = Batch.ofRows(
      schema,
      [
        { id: 1n, name: 'a' },
        { id: 2n, name: 'gone' },
        { id: 3n, name: UNCHANGED },
      ],
      { op: Uint8Array.of(1, 1, 2) },
    );
    const made = applied(bound, batch);
    expect(made.rows()).toEqual([
      { id: 1n, name: 'A' },
      { id: 2n, name: UNCHANGED },
      { id: 3n, name: UNCHANGED },
    ]);
    expect([0, 1, 2].map((i) => made.opAt(i))).toEqual(['update', 'delete', 'delete']);
  });

  it('sees values that were not sent as they were before', async () => {
    const bound = await bind(upper);
    const before = Batch.ofRows(schema, [
      { id: 1n, name: 'old' },
      { id: 8n, name: 'was' },
    ]);
    const batch = Batch.ofRows(
      schema,
      [
        { id: 1n, name: UNCHANGED },
        { id: 9n, name: 'gone' },
      ],
      { op: Uint8Array.of(1, 4), before },
    );
    const made = applied(bound, batch);
    expect(made.rows()).toEqual([
      { id: 1n, name: 'OLD' },
      { id: 8n, name: 'WAS' },
    ]);
    expect([made.opAt(0), made.opAt(1)]).toEqual(['update', 'delete']);
    expect(made.before!.rows().map((row) => row['id'])).toEqual([1n, 8n]);
  });

  it('cannot make several rows of a change whose old row is not known, nor find it by a key of its own', async () => {
    const twice = await bind('export default (row) => [row, row];');
    const change = Batch.ofRows(schema, [rows[0]!], { op: 'update' });
    expect((await errorOf(() => twice.apply(change))).code).toBe('SLUICE-TRANSFORM-0011');
    const rekeyed = await bind(
      'export const schema = { id: "string" }; export default (row) => ({ id: `p${row.id}` });',
    );
    expect(rekeyed.needs).toEqual({ after: ['id', 'name'], before: ['id', 'name'] });
    const removed = Batch.ofRows(schema, [{ id: 1n, name: UNCHANGED }], { op: 'delete' });
    expect(await errorOf(() => rekeyed.apply(removed))).toMatchObject({
      code: 'SLUICE-TRANSFORM-0013',
      class: 'contract',
    });
    const known = Batch.ofRows(schema, [rows[0]!], { op: 'delete' });
    expect(applied(rekeyed, known).rows()).toEqual([{ id: 'p1' }]);
  });

  it('of which no row comes after an error was mended in the source brings it as a new one', async () => {
    const strict = await bind('export default (row) => ({ ...row, name: row.name.toUpperCase() });');
    const before = Batch.ofRows(schema, [rows[1]!]);
    const mended = applied(strict, Batch.ofRows(schema, [{ id: 2n, name: 'Eve' }], { op: 'update', before }));
    expect([mended.opAt(0), mended.rows()]).toEqual(['upsert', [{ id: 2n, name: 'EVE' }]]);
  });
});

describe('a function of batches', () => {
  it('returns batches of the schema that it is given', async () => {
    const bound = await bind(
      'export const columns = (batch, out) => batch.derive(out, [0, 1], Uint32Array.of(1));',
    );
    expect(bound.rung).toBe('columns');
    expect(applied(bound, Batch.ofRows(schema, rows)).rows()).toEqual([rows[1]]);
  });

  it('is refused when it returns another shape', async () => {
    const bound = await bind(
      'export const columns = (batch) => batch.derive({ ...batch.schema, fields: batch.schema.fields.slice(1) }, [1]);',
    );
    expect((await errorOf(() => bound.apply(Batch.ofRows(schema, rows)))).code).toBe('SLUICE-TRANSFORM-0010');
  });
});

describe('a module', () => {
  it.each([
    ['is missing', undefined],
    ['has a syntax error', 'export default ('],
    ['exports no function', 'export const x = 1;'],
    ['exports a schema that is none', 'export const schema = { id: 7 }; export default (row) => row;'],
  ])('that %s is a config error', async (_, source) => {
    const error = await errorOf(() =>
      source === undefined ? bindTransform('js', schema, { module: './none.mjs' }, folder) : bind(source),
    );
    expect(error).toMatchObject({ code: 'SLUICE-TRANSFORM-0009', class: 'config' });
  });
});
