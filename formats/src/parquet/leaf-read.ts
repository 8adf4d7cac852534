/** Takes whole rows out of a leaf's pages, whose ends fall anywhere. */
import { type ChunkReader, collectorFor, located, type OpenPage } from './chunk-read.js';
import type { Collector } from './collect.js';
import { sound, within } from './damage.js';
import type { ReadLeaf } from './schema-read.js';

/** What a leaf has for some rows. */
export interface LeafBatch {
  readonly entries: number;
  /** Definition level of every entry; undefined: all are at the leaf's highest. */
  readonly def: Uint8Array | undefined;
  /** Repetition level of every entry; undefined: all are 0. */
  readonly rep: Uint8Array | undefined;
  /** The values of the entries that have one. */
  readonly values: Collector;
}

/** Entries whose levels are decoded at once where rows have to be counted in them. */
const BLOCK = 4096;
/** Entries of one leaf in one batch; lists may be long, but a batch has to fit memory. */
const MOST_ENTRIES = 1 << 27;

export class LeafReader {
  private page: OpenPage | undefined;
  /** Read and decompressed while the page before is decoded. */
  private upcoming: Promise<OpenPage | undefined> | undefined;
  private readonly blockDef = new Uint8Array(BLOCK);
  private readonly blockRep = new Uint8Array(BLOCK);
  private blockAt = 0;
  private blockEnd = 0;

  constructor(
    private readonly chunk: ChunkReader,
    private readonly leaf: ReadLeaf,
  ) {}

  /** The next `rows` rows; fails when the chunk holds fewer. */
  async read(rows: number): Promise<LeafBatch> {
    const values = collectorFor(this.leaf, rows);
    return this.leaf.maxRep === 0 ? this.readFlat(rows, values) : this.readNested(rows, values);
  }

  /** Fails when entries are left that belong to no row. */
  async end(): Promise<void> {
    const page = await this.current();
    if (page !== undefined)
      this.located(page, () => sound(false, 'the column holds more rows than its row group'));
  }

  private async readFlat(rows: number, values: Collector): Promise<LeafBatch> {
    const { maxDef } = this.leaf;
    const def = maxDef === 0 ? undefined : new Uint8Array(rows);
    let done = 0;
    let present = 0;
    while (done < rows) {
      const page = await this.needed();
      const take = Math.min(rows - done, page.left);
      this.located(page, () => {
        if (def !== undefined) page.readDef(def, done, take);
        const count = def === undefined ? take : this.countPresent(def, done, done + take);
        page.readValues(count, values);
        present += count;
      });
      page.left -= take;
      done += take;
    }
    return { entries: rows, def: present === rows ? undefined : def, rep: undefined, values };
  }

  private async readNested(rows: number, values: Collector): Promise<LeafBatch> {
    let def = new Uint8Array(Math.max(16, rows * 2));
    let rep = new Uint8Array(def.length);
    let entries = 0;
    let started = 0;
    for (;;) {
      const page = await this.current();
      if (page === undefined) break;
      const from = this.blockAt;
      let at = from;
      for (; at < this.blockEnd; at++) {
        if (this.blockRep[at] !== 0) continue;
        if (started === rows) break;
        started++;
      }
      const take = at - from;
      this.located(page, () => {
        sound(started > 0, 'the first entry of a column continues a row');
        within(entries + take, MOST_ENTRIES, 'a batch has too many list items; read fewer rows at a time');
      });
      if (entries + take > def.length) [def, rep] = [grown(def, entries + take), grown(rep, entries + take)];
      def.set(this.blockDef.subarray(from, at), entries);
      rep.set(this.blockRep.subarray(from, at), entries);
      this.located(page, () => page.readValues(this.countPresent(def, entries, entries + take), values));
      entries += take;
      this.blockAt = at;
      if (at < this.blockEnd) break;
    }
    if (started < rows) await this.needed();
    return { entries, def: def.subarray(0, entries), rep: rep.subarray(0, entries), values };
  }

  private countPresent(def: Uint8Array, from: number, to: number): number {
    const { maxDef } = this.leaf;
    let count = 0;
    let most = 0;
    for (let i = from; i < to; i++) {
      const level = def[i]!;
      if (level === maxDef) count++;
      else if (level > most) most = level;
    }
    sound(most <= maxDef, `a definition level (${most}) is above ${maxDef}`);
    return count;
  }

  /** The page with the next entry, its levels in the block if rows must be counted; undefined at the end. */
  private async current(): Promise<OpenPage | undefined> {
    while (this.blockAt === this.blockEnd && (this.page === undefined || this.page.left === 0)) {
      this.page = await (this.upcoming ?? this.chunk.nextPage());
      if (this.page === undefined) {
        this.upcoming = Promise.resolve(undefined);
        return undefined;
      }
      this.upcoming = this.chunk.nextPage();
      // Whoever comes to that page sees its error; until then it must not count as unhandled.
      this.upcoming.catch(() => {});
    }
    const page = this.page!;
    if (this.leaf.maxRep > 0 && this.blockAt === this.blockEnd)
      this.located(page, () => this.fillBlock(page));
    return page;
  }

  private async needed(): Promise<OpenPage> {
    const page = await this.current();
    if (page === undefined) this.chunk.ended();
    return page;
  }

  private fillBlock(page: OpenPage): void {
    const count = Math.min(BLOCK, page.left);
    page.readRep(this.blockRep, 0, count);
    page.readDef(this.blockDef, 0, count);
    page.left -= count;
    for (let i = 0; i < count; i++)
      sound(this.blockRep[i]! <= this.leaf.maxRep, 'a repetition level is too high');
    this.blockAt = 0;
    this.blockEnd = count;
  }

  private located(page: OpenPage, decode: () => void): void {
    try {
      decode();
    } catch (error) {
      throw located(error, this.leaf, page.offset);
    }
  }
}

function grown(levels: Uint8Array, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(needed, levels.length * 2));
  larger.set(levels);
  return larger;
}
