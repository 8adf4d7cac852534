/**
 * Sums of the digests of rows by bucket, which do not depend on the order of the rows: two sides whose rows are the same
 * have the same sums, and where a bucket's differ, a row of it does. Their size does not depend on the rows.
 */

export const BUCKETS = 1 << 16;
/** Each sum is four of 32 bits. */
const WORDS = 4;

export class BucketSums {
  private readonly sums = new Uint32Array(BUCKETS * WORDS);
  private readonly counts = new Float64Array(BUCKETS);
  rows = 0;

  /** A row, by the four words of its digest. */
  add(bucket: number, digest: Uint32Array): void {
    for (let word = 0; word < WORDS; word++) this.sums[bucket * WORDS + word]! += digest[word]!;
    this.counts[bucket]!++;
    this.rows++;
  }

  /** The buckets in which two sides differ, each with the rows that the larger side has there. */
  differing(other: BucketSums): Map<number, number> {
    const buckets = new Map<number, number>();
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const [mine, theirs] = [this.counts[bucket]!, other.counts[bucket]!];
      if (mine !== theirs || !this.sameSum(other, bucket)) buckets.set(bucket, Math.max(mine, theirs));
    }
    return buckets;
  }

  private sameSum(other: BucketSums, bucket: number): boolean {
    for (let at = bucket * WORDS; at < (bucket + 1) * WORDS; at++) {
      if (this.sums[at] !== other.sums[at]) return false;
    }
    return true;
  }
}

/** Buckets in groups of at most so many rows; a bucket that has more is one by itself. */
export function groupsOf(buckets: ReadonlyMap<number, number>, mostRows: number): ReadonlySet<number>[] {
  const groups: Set<number>[] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const [bucket, count] of buckets) {
    if (rows + count > mostRows) {
      groups.push(new Set());
      rows = 0;
    }
    groups.at(-1)!.add(bucket);
    rows += count;
  }
  return groups;
}
