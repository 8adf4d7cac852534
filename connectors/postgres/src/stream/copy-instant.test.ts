import { expect, it } from 'vitest';
import { CopyInstant } from './copy-instant.js';

const logged = (id: number, commit = 1n) => ({ id, commit, committedAt: 0 });

it('shows the transactions that its snapshot has seen the end of', () => {
  const instant = CopyInstant.of({ snapshot: '738:745:740,743', end: '0/100' })!;
  const shown = [737, 738, 739, 740, 741, 743, 744, 745, 746].filter((id) => instant.shows(logged(id)));
  expect(shown).toEqual([737, 738, 739, 741, 744]);
});

it('shows none that were committed behind its end', () => {
  const instant = CopyInstant.of({ snapshot: '738:745:', end: '1/0' })!;
  expect([0xffff_ffffn, 0x1_0000_0000n].map((commit) => instant.shows(logged(700, commit)))).toEqual([
    true,
    false,
  ]);
});

it('knows transactions by the low half of their number, also where that begins anew', () => {
  const instant = CopyInstant.of({ snapshot: '4294967290:4294967300:4294967294,4294967298', end: '0/100' })!;
  const ids = [0xffff_fff9, 0xffff_fffa, 0xffff_fffe, 0xffff_ffff, 0, 1, 2, 3, 4, 5];
  expect(ids.filter((id) => instant.shows(logged(id)))).toEqual([
    0xffff_fff9, 0xffff_fffa, 0xffff_ffff, 0, 1, 3,
  ]);
});

it('is not told by the position of a copy that was made in another way', () => {
  for (const position of [null, ['7'], '0/10', {}]) expect(CopyInstant.of(position)).toBeUndefined();
});
