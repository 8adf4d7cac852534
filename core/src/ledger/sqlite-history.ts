/** The history of epochs and its thinning; to be used inside the ledger's transactions. */
import type { SplitRecord } from '@sluice/sdk';
import { HISTORY_SPAN_SQL, historyBounds, isThinTime } from './history.js';
import type { EpochRow, EpochStats, FlowKey, SinkKey } from './ledger.js';
import type { SqliteFile } from './sqlite-file.js';
import { epochRow } from './sqlite-rows.js';

export class EpochTable {
  private thinnedAt: number | undefined;

  constructor(private readonly file: SqliteFile) {}

  add(key: SinkKey, record: SplitRecord, fence: bigint, { rows, bytes }: EpochStats, now: number): void {
    const { split, generation, epoch, position, sealed } = record;
    this.file.run(
      `INSERT INTO epochs (job, flow, sink, split, generation, epoch, position, sealed, fence, rows, bytes, at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[key.job, key.flow, key.sink, split.id, generation, epoch, JSON.stringify(position), Number(sealed)],
      ...[fence, rows, bytes, now],
    );
    this.thin(now);
  }

  /** The history of a split up to a position goes over to that position's generation. */
  carry(key: SinkKey, split: string, from: number, to: { generation: number; epoch: number }): void {
    this.file.run(
      `UPDATE epochs SET generation = ?
       WHERE job = ? AND flow = ? AND sink = ? AND split = ? AND generation = ? AND epoch <= ?`,
      ...[to.generation, key.job, key.flow, key.sink, split, from, to.epoch],
    );
  }

  newest(key: FlowKey, limit: number): EpochRow[] {
    return this.file
      .all(
        `SELECT sink, split, generation, epoch, position, sealed, CAST(fence AS TEXT) AS fence, rows, bytes, at
         FROM epochs WHERE job = ? AND flow = ? ORDER BY id DESC LIMIT ?`,
        ...[key.job, key.flow, limit],
      )
      .map(epochRow);
  }

  /** Thins when it is time; what is known of the last time is refreshed before it is trusted. */
  private thin(now: number): void {
    if (this.thinnedAt !== undefined && !isThinTime(now, this.thinnedAt)) return;
    this.thinnedAt = Number(this.file.get(`SELECT value FROM meta WHERE key = 'thinned_at'`)!['value']);
    if (!isThinTime(now, this.thinnedAt)) return;
    const { all, hourly } = historyBounds(now);
    this.file.run(
      `DELETE FROM epochs WHERE id IN (SELECT id FROM (
         SELECT id, row_number() OVER (PARTITION BY job, flow, sink, split, ${HISTORY_SPAN_SQL} ORDER BY id DESC) AS place
         FROM epochs WHERE at < ?) WHERE place > 1)`,
      ...[hourly, all],
    );
    this.file.run(`UPDATE meta SET value = ? WHERE key = 'thinned_at'`, `${now}`);
    this.thinnedAt = now;
  }
}
