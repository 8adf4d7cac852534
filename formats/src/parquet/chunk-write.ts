/**
 * One column chunk of the row group that is being written: fills pages, closes them as they reach their size and
 * hands each to the compressor at once, so that the pool compresses one page while the next is encoded.
 *
 * A chunk begins with a dictionary when its first values repeat, and goes over to PLAIN when the dictionary stops
 * paying; pages written until then keep it, as the format allows.
 */
import { plainSize, sliceDense } from './dense.js';
import { Dictionary, repeats } from './dictionary.js';
import { type ColumnChunkMeta, Encoding } from './format.js';
import { encodeDataPageHeader, encodeDictionaryPageHeader } from './metadata-write.js';
import type { PageQueue } from './page-queue.js';
import { dictionaryPage, PAGE_ENTRIES, type PageBody, type PagePool, PageWriter } from './page-write.js';
import type { Leaf } from './schema-write.js';
import type { LeafEntries } from './shred.js';
import { ChunkStatistics } from './statistics.js';

/** A page that was handed to the compressor. */
interface QueuedPage {
  readonly kind: 'data' | 'dictionary';
  readonly body: PageBody;
  /** Undefined: the body is stored as it is. */
  readonly compressed: Promise<Uint8Array> | undefined;
}

/** A finished chunk: its pages in file order, and what the footer says of it once its offset is known. */
export interface FinishedChunk {
  readonly pieces: readonly Uint8Array[];
  readonly uncompressedSize: number;
  readonly compressedSize: number;
  meta(offset: number): ColumnChunkMeta;
}

export class ChunkWriter {
  private readonly page: PageWriter;
  private readonly statistics: ChunkStatistics;
  private readonly pages: QueuedPage[] = [];
  private dictionary: Dictionary | undefined;
  private dictionaryPage: QueuedPage | undefined;
  private entries = 0;
  /** Bytes of the pages that are closed. */
  private bytes = 0;

  constructor(
    private readonly leaf: Leaf,
    private readonly queue: PageQueue,
    private readonly pool: PagePool,
    private readonly mayUseDictionary: boolean,
  ) {
    this.page = new PageWriter(leaf, pool);
    this.statistics = new ChunkStatistics(leaf.order);
  }

  /** Encoded bytes so far, before compression. */
  get size(): number {
    return this.bytes + this.page.bytes;
  }

  append(entries: LeafEntries): void {
    const { values, count } = entries;
    if (this.entries === 0 && this.mayUseDictionary && repeats(values)) {
      this.dictionary = new Dictionary(values.kind === 'words' ? values.width : 0);
    }
    this.entries += count;
    this.statistics.nulls += count - values.count;
    if (this.dictionary?.exhausted === true) this.leaveDictionary(this.dictionary);
    if (this.dictionary === undefined) this.statistics.add(values);
    this.place(entries);
  }

  /** Closes the last page, waits for the compressor, and frames the pages. The writer is then used up. */
  async finish(): Promise<FinishedChunk> {
    if (this.dictionary !== undefined) this.leaveDictionary(this.dictionary);
    else if (this.page.entries > 0) this.closePage();
    const pages = this.dictionaryPage === undefined ? this.pages : [this.dictionaryPage, ...this.pages];
    const pieces: Uint8Array[] = [];
    let compressedSize = 0;
    let uncompressedSize = 0;
    let dictionarySize: number | undefined;
    for (const page of pages) {
      const framed = await frame(page);
      pieces.push(...framed.pieces);
      compressedSize += framed.header + framed.stored;
      uncompressedSize += framed.header + page.body.end - page.body.start;
      if (page.kind === 'dictionary') dictionarySize = compressedSize;
    }
    const { leaf, entries, queue } = this;
    const encodings = new Set<number>(pages.map((page) => page.body.encoding));
    const statistics = this.statistics.finish();
    const meta = (offset: number): ColumnChunkMeta => ({
      type: leaf.physical,
      encodings: [...encodings.add(Encoding.RLE)],
      path: leaf.path,
      codec: queue.codec,
      values: entries,
      uncompressedSize,
      compressedSize,
      dataPageOffset: offset + (dictionarySize ?? 0),
      ...(dictionarySize !== undefined && { dictionaryPageOffset: offset }),
      statistics,
    });
    return { pieces, uncompressedSize, compressedSize, meta };
  }

  /** Adds entries to pages, closing each that is full. */
  private place(entries: LeafEntries): void {
    const { page } = this;
    if (page.entries > 0 && this.overflows(entries, page.entries, page.bytes)) this.closePage();
    if (this.overflows(entries, 0, 0)) {
      const halves = this.halve(entries);
      if (halves !== undefined) {
        this.place(halves[0]);
        this.place(halves[1]);
        return;
      }
    }
    if (this.dictionary !== undefined) page.appendIndices(entries, this.dictionary);
    else page.appendPlain(entries);
  }

  private overflows({ count, values }: LeafEntries, entries: number, bytes: number): boolean {
    if (entries + count > PAGE_ENTRIES) return true;
    return this.dictionary === undefined && bytes + plainSize(values) > this.pool.pageBytes;
  }

  /** Entries in two parts, cut between records; undefined when they are one record. */
  private halve({ count, def, rep, values }: LeafEntries): [LeafEntries, LeafEntries] | undefined {
    let cut = count >> 1;
    if (typeof rep !== 'number') {
      while (cut < count && rep[cut] !== 0) cut++;
      if (cut === count) for (cut = count >> 1; cut > 0 && rep[cut] !== 0; ) cut--;
    }
    if (cut === 0) return undefined;
    let valuesBefore = values.count === count ? cut : 0;
    if (typeof def !== 'number') {
      valuesBefore = 0;
      for (let i = 0; i < cut; i++) if (def[i] === this.leaf.maxDef) valuesBefore++;
    }
    const part = (from: number, to: number, valueFrom: number, valueTo: number): LeafEntries => ({
      count: to - from,
      def: typeof def === 'number' ? def : def.subarray(from, to),
      rep: typeof rep === 'number' ? rep : rep.subarray(from, to),
      values: sliceDense(values, valueFrom, valueTo),
    });
    return [part(0, cut, 0, valuesBefore), part(cut, count, valuesBefore, values.count)];
  }

  private closePage(): void {
    const body =
      this.dictionary === undefined ? this.page.finishPlain() : this.page.finishIndices(this.dictionary.size);
    this.bytes += body.end - body.start;
    this.pages.push({ kind: 'data', body, compressed: this.queue.add(body) });
  }

  /** The dictionary is complete: writes its page; what follows in the chunk is PLAIN. */
  private leaveDictionary(dictionary: Dictionary): void {
    if (this.page.entries > 0) this.closePage();
    const values = dictionary.dense();
    this.statistics.add(values);
    const body = dictionaryPage(values);
    this.bytes += body.end - body.start;
    this.dictionaryPage = { kind: 'dictionary', body, compressed: this.queue.add(body) };
    this.dictionary = undefined;
  }
}

/** A page with its header in front, as the file holds it. */
async function frame(page: QueuedPage): Promise<{ pieces: Uint8Array[]; header: number; stored: number }> {
  const { buffer, start, end, values, encoding } = page.body;
  const bytes = await page.compressed;
  const sizes = { values, uncompressed: end - start, compressed: bytes?.byteLength ?? end - start };
  const header =
    page.kind === 'data' ? encodeDataPageHeader({ ...sizes, encoding }) : encodeDictionaryPageHeader(sizes);
  const measured = { header: header.byteLength, stored: sizes.compressed };
  if (bytes !== undefined) return { pieces: [header, bytes], ...measured };
  buffer.set(header, start - header.byteLength);
  return { pieces: [buffer.subarray(start - header.byteLength, end)], ...measured };
}
