import { expect, it } from 'vitest';
import { cellWidth, cut, pad, visible } from './cells.js';

it('shows control characters instead of obeying them', () => {
  expect(visible('a\u001b[31mb\nc\u202ed\u0007')).toBe('a\\u001b[31mb\\nc\\u202ed\\u0007');
});

it('counts cells, not characters', () => {
  expect(cellWidth('abc')).toBe(3);
  expect(cellWidth('日本')).toBe(4);
  expect(cellWidth('e\u0301')).toBe(1);
  expect(cellWidth('🚀')).toBe(2);
  expect(cellWidth('\u001b[31mred\u001b[39m')).toBe(3);
});

it('cuts to a width and never beyond it', () => {
  expect(cut('orders', 6)).toBe('orders');
  expect(cut('orders', 4)).toBe('ord…');
  expect(cut('日本語', 4)).toBe('日…');
  expect(cut('日本語', 5)).toBe('日本…');
  expect(cut('x', 0)).toBe('');
});

it('fills by cells', () => {
  expect(pad('日', 4)).toBe('日  ');
  expect(pad('7', 3, 'right')).toBe('  7');
});
