import { errorEntries } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { transforms } from './index.js';

describe.each(Object.entries(transforms))('%s', (name, transform) => {
  const schema = z.toJSONSchema(transform.options, { io: 'input' });

  it('has the name that it is found by, and says what it does', () => {
    expect(transform.name).toBe(name);
    expect(transform.title).toMatch(/^[A-Z].*[^.]$/);
  });

  it('describes each of its options and takes no others', () => {
    expect(schema.additionalProperties).toBe(false);
    for (const [key, option] of Object.entries(schema.properties ?? {})) {
      expect(option, `${name}.${key}`).toHaveProperty('description');
    }
    expect(transform.options.safeParse({ nonsense: 1 }).success).toBe(false);
  });

  it('has errors of its families, each with help', () => {
    for (const { code, help } of errorEntries(transform.errors ?? {})) {
      expect(code).toMatch(/^SLUICE-(TRANSFORM|EXPR)-\d{4}$/);
      expect(help).toMatch(/\.$/);
    }
  });
});
