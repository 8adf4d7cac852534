/** What a soak has done, by its name. */
export class Tally {
  private readonly counts = new Map<string, number>();

  add(name: string, times = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + times);
  }

  addAll(other: Tally): void {
    for (const [name, times] of other.counts) this.add(name, times);
  }

  /** Of one, or of all. */
  count(name?: string): number {
    if (name !== undefined) return this.counts.get(name) ?? 0;
    return [...this.counts.values()].reduce((sum, n) => sum + n, 0);
  }

  toString(): string {
    return [...this.counts].map(([name, times]) => `${name}: ${times}`).join(', ');
  }
}
