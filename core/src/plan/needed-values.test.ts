import { type CatalogStream, field, type NeededValues, streamSchema, types } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { type PlanSetting, planOf, transformOf } from '../testing/plan-stream.js';

const catalog: CatalogStream = {
  schema: streamSchema(
    'items',
    [field('id', types.int64), field('n', types.int32), field('note', types.string)],
    ['id'],
  ),
  types: [],
  unchanged: ['note'],
};
const cdc: PlanSetting = { streams: [catalog], mode: 'cdc' };

const needing = (needs: NeededValues) =>
  transformOf('needing', (schema) => ({
    out: schema,
    reads: [],
    writes: [],
    needs,
    rung: 'columns',
    apply: (batch) => [batch],
  }));
/** The second of two transforms: what it is given has been renamed. */
const renaming = transformOf('renaming', (schema) => ({
  out: { ...schema, fields: schema.fields.map((f) => ({ ...f, name: `my_${f.name}` })), key: ['my_id'] },
  reads: [],
  writes: [],
  rung: 'columns',
  apply: (batch) => [batch],
}));

describe('what changes may come without', () => {
  it.each<[NeededValues, 'runs' | 'refused']>([
    [{ after: ['id', 'n'] }, 'runs'],
    [{ after: ['id', 'note'] }, 'refused'],
    [{ before: ['id'] }, 'runs'],
    [{ before: ['n'] }, 'refused'],
    [{ before: ['note'] }, 'refused'],
    [{}, 'runs'],
  ])('a transform that needs %j', async (needs, outcome) => {
    const made = planOf({ ...cdc, transforms: [needing(needs)] });
    if (outcome === 'runs') await made;
    else await expect(made).rejects.toMatchObject({ code: 'SLUICE-CORE-0016', class: 'config' });
    for (const other of [
      { ...cdc, before: true },
      { ...cdc, streams: [{ ...catalog, before: true }] },
      { ...cdc, mode: 'full' as const },
    ]) {
      await planOf({ ...other, transforms: [needing(needs)] });
    }
  });

  it('is a matter of the stream where it knows better than its source', async () => {
    const streams = [{ ...catalog, before: false }];
    const made = planOf({ ...cdc, before: true, streams, transforms: [needing({ after: ['note'] })] });
    await expect(made).rejects.toThrow(
      'needing: changes of items may come without "note", and without the row as it was before',
    );
  });

  it('goes with a column through the transforms before', async () => {
    const made = planOf({ ...cdc, transforms: [renaming, needing({ before: ['my_n'] })] });
    await expect(made).rejects.toThrow(
      'needing: changes of items do not tell which "my_n" the row had before',
    );
    await planOf({ ...cdc, transforms: [renaming, needing({ after: ['my_n'], before: ['my_id'] })] });
  });

  it('forbids another key than that of the source', async () => {
    const made = planOf({ ...cdc, stream: { key: ['n'] } });
    await expect(made).rejects.toMatchObject({
      code: 'SLUICE-CORE-0016',
      message: expect.stringContaining('key: changes of items do not tell which "n" the row had before'),
    });
    await planOf({ ...cdc, before: true, stream: { key: ['n'] } });
  });
});
