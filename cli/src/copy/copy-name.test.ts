import { describe, expect, it } from 'vitest';
import { type CopyIdentity, copyName, plainLocation } from './copy-name.js';

const base = {
  from: 'inbox/*.csv',
  to: './lake.duckdb',
  mode: 'full',
  write: undefined,
  name: undefined,
  settings: [{}, {}],
};

describe('the name of a copy', () => {
  it('is made of words and a hash', () => {
    expect(copyName(base, '/data')).toMatch(/^copy-inbox-lake-[0-9a-f]{8}$/);
    expect(copyName({ ...base, from: '-', to: '-' }, '/data')).toMatch(/^copy-[0-9a-f]{8}$/);
  });

  it('is the same however a path is written, and wherever the folder lies', () => {
    const name = copyName(base, '/data');
    expect(copyName({ ...base, to: 'lake.duckdb' }, '/data')).toBe(name);
    expect(copyName({ ...base, to: '/data/x/../lake.duckdb' }, '/data')).toBe(name);
    expect(copyName(base, '/elsewhere')).toBe(name);
  });

  it('is another for another source, target or way', () => {
    const others = [
      { ...base, from: 'inbox/*.json' },
      { ...base, to: 'pond.duckdb' },
      { ...base, to: '../lake.duckdb' },
      { ...base, mode: 'incremental' },
      { ...base, write: 'append' },
      { ...base, name: 'events' },
      { ...base, settings: [{ format: 'csv' }, {}] },
      { ...base, settings: [{}, { format: 'csv' }] },
    ];
    const names = [base, ...others].map((identity) => copyName(identity, '/data'));
    expect(new Set(names).size).toBe(names.length);
  });

  it('does not change with a password, and does not contain one', () => {
    const url = (user: string) => `postgres://${user}db1:5432/shop?sslmode=require&password=x`;
    expect(plainLocation(url('ann:secret@'), '/')).toBe('postgres://db1:5432/shop?sslmode=require');
    expect(copyName({ ...base, from: url('ann:secret@') }, '/')).toBe(
      copyName({ ...base, from: url('') }, '/'),
    );
    const settings: CopyIdentity['settings'] = [{ apiToken: 'x' }, {}];
    expect(copyName({ ...base, settings }, '/')).toBe(copyName(base, '/'));
    expect(plainLocation('postgres://db1/other', '/')).not.toBe(plainLocation(url(''), '/'));
  });
});
