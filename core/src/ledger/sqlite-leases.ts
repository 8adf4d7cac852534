/** The table of leases; to be used inside the ledger's transactions. */
import type { Lease } from './ledger.js';
import type { LeaseRow } from './refusals.js';
import type { SqliteFile } from './sqlite-file.js';
import { leaseRow } from './sqlite-rows.js';

export class LeaseTable {
  constructor(private readonly file: SqliteFile) {}

  get(job: string): LeaseRow | undefined {
    const row = this.file.get(
      'SELECT CAST(fence AS TEXT) AS fence, run, host, pid, process_start, expires_at FROM leases WHERE job = ?',
      job,
    );
    return row === undefined ? undefined : leaseRow(row);
  }

  put(lease: Lease): Lease {
    const { run, host, pid, processStart } = lease.holder;
    this.file.run(
      `INSERT INTO leases (job, fence, run, host, pid, process_start, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET fence = excluded.fence, run = excluded.run, host = excluded.host,
         pid = excluded.pid, process_start = excluded.process_start, expires_at = excluded.expires_at`,
      ...[lease.job, lease.fence, run, host, pid, processStart, lease.expiresAt],
    );
    return lease;
  }

  /** Frees the lease when it still stands; the fence stays. */
  free(lease: Lease): void {
    const { run, host, pid, processStart } = lease.holder;
    this.file.run(
      `UPDATE leases SET run = NULL, host = NULL, pid = NULL, process_start = NULL, expires_at = NULL
       WHERE job = ? AND fence = ? AND run = ? AND host = ? AND pid = ? AND process_start = ?`,
      ...[lease.job, lease.fence, run, host, pid, processStart],
    );
  }

  jobs(): string[] {
    return this.file.all('SELECT job FROM leases').map((row) => row['job'] as string);
  }
}
