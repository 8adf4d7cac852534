/** Dead letters. */
import assert from 'node:assert/strict';
import type { DeadLetter } from '../ledger.js';
import { type ContractCheck, FENCED, holder, Scene, TTL } from './scene.js';

function letter(id: string, more: Partial<DeadLetter> = {}): DeadLetter {
  const place = { flow: 'main', sink: 'lake', stream: 'public.orders', split: 'a', generation: 1 };
  const error = { code: 'SLUICE-X-0001', message: 'too long', details: { column: 'name' } };
  return {
    id,
    ...place,
    epoch: 3,
    row: 7,
    stage: 'sink',
    error,
    payload: { id: '1' },
    run: 'r1',
    at: 9,
    ...more,
  };
}

export const letters: readonly ContractCheck[] = [
  {
    title: 'dead letters are listed in their order, by flow, sink, stream or id',
    async check(open) {
      const { ledger, lease } = await Scene.open(open);
      const [one, two, three] = [
        letter('1'),
        letter('2', { stage: 0, sink: 'crm' }),
        letter('3', { stream: 's' }),
      ];
      await ledger.addLetters(lease, [one]);
      await ledger.addLetters(lease, [two, three]);
      assert.deepEqual(await ledger.letters('shop', {}, 9), [one, two, three]);
      assert.deepEqual(await ledger.letters('shop', {}, 2), [one, two]);
      assert.deepEqual(await ledger.letters('shop', { sink: 'crm' }, 9), [two]);
      assert.deepEqual(await ledger.letters('shop', { stream: 's', flow: 'main' }, 9), [three]);
      assert.deepEqual(await ledger.letters('shop', { id: '1', flow: 'other' }, 9), []);
      assert.equal(await ledger.countLetters('shop', { sink: 'lake' }), 2);
      assert.deepEqual(await ledger.letters('other', {}, 9), []);
    },
  },
  {
    title: 'a dead letter that comes again takes the place of the first',
    async check(open) {
      const { ledger, lease } = await Scene.open(open);
      await ledger.addLetters(lease, [letter('1'), letter('2')]);
      const again = letter('1', { run: 'r2', payload: null });
      await ledger.addLetters(lease, [again]);
      assert.deepEqual(await ledger.letters('shop', {}, 9), [again, letter('2')]);
    },
  },
  {
    title: 'dead letters are dropped one by one and outlive what else is forgotten',
    async check(open) {
      const { ledger, lease } = await Scene.started(open);
      await ledger.addLetters(lease, [letter('1'), letter('2')]);
      await ledger.dropLetters(lease, ['1', 'unknown']);
      await ledger.forget(lease);
      assert.deepEqual(await ledger.letters('shop', {}, 9), [letter('2')]);
    },
  },
  {
    title: 'a run that was taken over neither adds nor drops dead letters',
    async check(open) {
      const scene = await Scene.open(open);
      const { ledger, lease } = scene;
      await ledger.addLetters(lease, [letter('1')]);
      scene.gone.add(1);
      await ledger.acquire('shop', holder('r2', 2), TTL);
      await assert.rejects(ledger.addLetters(lease, [letter('2')]), FENCED);
      await assert.rejects(ledger.dropLetters(lease, ['1']), FENCED);
      assert.deepEqual(await ledger.letters('shop', {}, 9), [letter('1')]);
    },
  },
];
