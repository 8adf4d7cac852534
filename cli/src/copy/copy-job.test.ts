import { expect, it } from 'vitest';
import { type CopyRequest, copyJob } from './copy-job.js';

const request: CopyRequest = {
  from: 'a.csv',
  to: 'lake.duckdb',
  source: { connector: 'file', path: 'a.csv' },
  sink: { connector: 'duckdb', path: 'lake.duckdb' },
  streams: undefined,
  mode: 'full',
  cursor: undefined,
  key: undefined,
  write: undefined,
  save: undefined,
  name: undefined,
  lossy: 'string',
  settings: [{}, {}],
  job: undefined,
};

it('is a whole job with the defaults of a copy', () => {
  expect(copyJob(request, '/')).toEqual({
    version: 1,
    name: expect.stringMatching(/^copy-a-lake-/),
    connections: { from: request.source, to: request.sink },
    flows: { main: { source: 'from', mode: 'full', streams: ['*'], sinks: { main: { to: 'to' } } } },
    types: { lossy: 'string' },
    again: true,
  });
});

it('takes over every setting', () => {
  const more = {
    streams: ['x', 'y*'],
    mode: 'incremental',
    cursor: 'at',
    key: ['id'],
    write: 'upsert',
  } as const;
  const job = copyJob(
    { ...request, ...more, save: 'require', name: '{stream}_copy', lossy: 'fail', job: 'mine' },
    '/',
  );
  expect(job.name).toBe('mine');
  expect(job.types).toEqual({ lossy: 'fail' });
  expect(job.again).toBeUndefined();
  expect(job.flows['main']).toEqual({
    source: 'from',
    mode: 'incremental',
    streams: {
      x: { key: ['id'], cursor: { column: 'at' } },
      'y*': { key: ['id'], cursor: { column: 'at' } },
    },
    sinks: { main: { to: 'to', write: 'upsert', save: 'require', name: '{stream}_copy' } },
  });
});
