/** What the checks of the ledger contract share: a ledger whose clock and dead processes the check decides about. */
import type { Json, Split, SplitRecord } from '@sluice/sdk';
import type { FlowKey, Holder, Lease, Ledger, PreparedEpoch, SinkKey } from '../ledger.js';
import type { LedgerOptions } from '../refusals.js';

/** Opens a new, empty ledger. */
export type OpenLedger = (options: LedgerOptions) => Promise<Ledger>;

export interface ContractCheck {
  readonly title: string;
  check(open: OpenLedger): Promise<void>;
}

export const TTL = 30_000;
export const FLOW: FlowKey = { job: 'shop', flow: 'main' };
export const SINK: SinkKey = { ...FLOW, sink: 'lake' };
export const STATS = { rows: 10, bytes: 1000 };
export const IDENTITY = { source: 'pg:7', target: 'duckdb:9' };

export const HELD = { code: 'SLUICE-CORE-0101' };
export const FENCED = { code: 'SLUICE-CORE-0102' };
export const MISUSED = { code: 'SLUICE-CORE-0120' };

export function holder(run: string, pid = 1): Holder {
  return { run, host: 'host-a', pid, processStart: `start-${pid}` };
}
export function split(id: string, streams = ['public.orders'], more: Partial<Split> = {}): Split {
  return { id, streams, phase: 'bulk', start: { from: 0 }, spec: { table: id }, ...more };
}
export function record(
  of: Split,
  generation: number,
  epoch: number,
  position: Json = epoch,
  sealed = false,
): SplitRecord {
  return { split: of, generation, epoch, position, sealed };
}
export function prepared(epoch: number): PreparedEpoch {
  return { epoch, position: { at: epoch }, sealed: false, token: { file: `part-${epoch}` } };
}

/** A ledger whose clock and dead processes the check decides about. */
export class Scene {
  now = 1_700_000_000_000;
  readonly gone = new Set<number>();
  ledger!: Ledger;
  lease!: Lease;

  static async open(open: OpenLedger): Promise<Scene> {
    const scene = new Scene();
    scene.ledger = await open({ clock: () => scene.now, isGone: ({ pid }) => scene.gone.has(pid) });
    scene.lease = await scene.ledger.acquire('shop', holder('r1'), TTL);
    return scene;
  }

  /** With the sink registered and generation 1 of `public.orders` under way in one split. */
  static async started(open: OpenLedger): Promise<Scene> {
    const scene = await Scene.open(open);
    await scene.ledger.registerSink(scene.lease, SINK, IDENTITY);
    await scene.ledger.startGeneration(scene.lease, FLOW, 'public.orders', 1);
    await scene.ledger.addSplits(scene.lease, FLOW, [{ split: split('a'), generation: 1 }]);
    return scene;
  }

  commit(
    of: Split,
    generation: number,
    epoch: number,
    position: Json = epoch,
    sealed = false,
  ): Promise<void> {
    return this.ledger.commit(this.lease, SINK, record(of, generation, epoch, position, sealed), STATS);
  }
  async positions() {
    return (await this.ledger.flow(FLOW)).sinks['lake']!.positions;
  }
}
