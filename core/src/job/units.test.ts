import { expect, it } from 'vitest';
import { parseDuration } from './duration.js';
import { pathText } from './path-text.js';
import { parsePercentage } from './percentage.js';
import { parseCount, parseRate } from './rate.js';
import { parseSize } from './size.js';

it('reads durations', () => {
  const good = {
    '500ms': 500,
    '1s': 1000,
    '1.5m': 90_000,
    '2h': 7_200_000,
    '1d': 86_400_000,
    '1h30m': 5_400_000,
  };
  for (const [text, ms] of Object.entries(good)) expect(parseDuration(text), text).toBe(ms);
  for (const text of ['', '1', 's', '1 s', '-1s', '1w', '1s ', '1S'])
    expect(parseDuration(text), text).toBeUndefined();
});

it('reads sizes', () => {
  const good = {
    4096: 4096,
    '1Ki': 1024,
    '512Mi': 2 ** 29,
    '512MiB': 2 ** 29,
    '64MB': 64e6,
    '64 mb': 64e6,
    '1.5k': 1500,
    '2G': 2e9,
    '10B': 10,
  };
  for (const [text, bytes] of Object.entries(good)) expect(parseSize(text), text).toBe(bytes);
  for (const text of ['', 'MB', '-1', '1XB', '1e3', '1 2', '99999Ti'])
    expect(parseSize(text), text).toBeUndefined();
});

it('reads rates', () => {
  expect(parseRate('5000/s', parseCount)).toBe(5000);
  expect(parseRate('600/m', parseCount)).toBe(10);
  expect(parseRate('10MiB/s', parseSize)).toBe(10 * 2 ** 20);
  expect(parseRate('36 kB/h', parseSize)).toBe(10);
  for (const text of ['', '5000', '/s', '0/s', '-1/s', '1.5/s', '5/d', '5 / s ', '5MB/s'])
    expect(parseRate(text, parseCount), text).toBeUndefined();
});

it('reads percentages', () => {
  expect(parsePercentage('0.1%')).toBe(0.001);
  expect(parsePercentage('100%')).toBe(1);
  for (const text of ['101%', '1', '%', '-1%', '1 %']) expect(parsePercentage(text), text).toBeUndefined();
});

it('writes paths as people read them', () => {
  expect(pathText(['flows', 'main', 'sinks', 'my-lake', 'write'])).toBe('flows.main.sinks.my-lake.write');
  expect(pathText(['streams', 'public.*', 'key', 0])).toBe('streams["public.*"].key[0]');
  expect(pathText([])).toBe('');
});
