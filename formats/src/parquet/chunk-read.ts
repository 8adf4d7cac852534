/** The pages of one column chunk, one after the other: read, decompressed, and opened for decoding. */
import type { ByteSource } from './byte-source.js';
import { decompress } from './codec-read.js';
import { BoolCollector, BytesCollector, type Collector, FixedCollector } from './collect.js';
import { Damage, Excess, sound, within } from './damage.js';
import { DeltaBytes, DeltaFixed, DeltaFixedBytes, DeltaLengthBytes } from './delta-read.js';
import { dictionaryDecoder } from './dictionary-read.js';
import { parquetErrors } from './errors.js';
import { bitWidth, type ColumnChunkMeta, Encoding, PageKind, Physical } from './format.js';
import { decodePageHeader, type PageHeader } from './metadata-read.js';
import { PlainBools, PlainBytes, PlainFixed, RunBools, SplitFixed, type ValueDecoder } from './plain-read.js';
import { BitPackedReader, ConstantReader, HybridReader, type NumberReader } from './rle-read.js';
import type { ReadLeaf } from './schema-read.js';
import { ThriftEnd } from './thrift-read.js';

/** Larger pages are refused before anything is allocated for them. */
const MOST_PAGE = 256 << 20;
/** A page header holds bounds of values, so it can be long, but not longer than this. */
const MOST_HEADER = 16 << 20;

/** Bytes a value, for stored types of fixed width. */
export function strideOf(leaf: ReadLeaf): number {
  switch (leaf.physical) {
    case Physical.INT32:
    case Physical.FLOAT:
      return 4;
    case Physical.INT96:
      return 12;
    case Physical.FIXED_LEN_BYTE_ARRAY:
      return leaf.typeLength;
    default:
      return 8;
  }
}

export function collectorFor(leaf: ReadLeaf, capacity: number): Collector {
  if (leaf.physical === Physical.BOOLEAN) return new BoolCollector(capacity);
  if (leaf.physical === Physical.BYTE_ARRAY) return new BytesCollector(capacity);
  return new FixedCollector(strideOf(leaf), capacity);
}

/** The coded error for what a decoder met, with the place in the file; other errors as they are. */
export function located(error: unknown, leaf: ReadLeaf, offset: number): unknown {
  if (error instanceof Excess)
    return parquetErrors.tooLarge(`column ${leaf.path}, at byte ${offset}: ${error.message}`);
  if (error instanceof Damage) {
    const { cause } = error;
    return parquetErrors.damaged(`column ${leaf.path}, page at byte ${offset}: ${error.message}`, {
      ...(cause !== undefined && { cause }),
      details: { column: leaf.path, offset },
    });
  }
  return error;
}

/** A data page, decompressed. Its entries are read in order, levels first and then as many values as they say. */
export class OpenPage {
  /** Entries that are not read yet. */
  left: number;
  private decoder: ValueDecoder<Collector> | undefined;

  constructor(
    /** Where in the file the page begins. */
    readonly offset: number,
    entries: number,
    private readonly rep: NumberReader,
    private readonly def: NumberReader,
    /** Made when the first value is wanted: a page of nulls may have no bytes for values. */
    private readonly open: () => ValueDecoder<Collector>,
  ) {
    this.left = entries;
  }

  readDef(out: Uint8Array, to: number, count: number): void {
    this.def.read(out, to, count);
  }
  readRep(out: Uint8Array, to: number, count: number): void {
    this.rep.read(out, to, count);
  }
  readValues(count: number, into: Collector): void {
    if (count === 0) return;
    this.decoder ??= this.open();
    this.decoder.read(count, into);
  }
}

export class ChunkReader {
  private at: number;
  private readonly end: number;
  /** Entries that pages have not yielded yet. */
  private left: number;
  private dictionary: FixedCollector | BytesCollector | undefined;
  private window: Uint8Array = new Uint8Array(0);
  /** Where in the file the window begins: it only moves forward. */
  private windowAt: number;

  /** `readAhead`: how many bytes to ask the source for at once. */
  constructor(
    private readonly source: ByteSource,
    private readonly meta: ColumnChunkMeta,
    private readonly leaf: ReadLeaf,
    private readonly readAhead: number,
  ) {
    const { dictionaryPageOffset, dataPageOffset, compressedSize } = meta;
    const hasDictionary = dictionaryPageOffset !== undefined && dictionaryPageOffset > 0;
    this.at = hasDictionary ? Math.min(dictionaryPageOffset, dataPageOffset) : dataPageOffset;
    this.windowAt = this.at;
    this.end = this.at + compressedSize;
    this.left = meta.values;
    if (this.end > source.size) {
      throw parquetErrors.damaged(
        `column ${leaf.path}: its pages, from byte ${this.at} to ${this.end}, pass the end of the file (${source.size})`,
      );
    }
  }

  /** The next data page; undefined when all entries of the chunk have been yielded. */
  async nextPage(): Promise<OpenPage | undefined> {
    while (this.left > 0) {
      const offset = this.at;
      try {
        const page = await this.readPage();
        if (page !== undefined) return page;
      } catch (error) {
        throw located(error, this.leaf, offset);
      }
    }
    return undefined;
  }

  /** Fails since rows are wanted that the chunk does not hold. */
  ended(): never {
    throw located(new Damage('the column holds fewer rows than its row group'), this.leaf, this.at);
  }

  /** Reads one page; undefined when it was no data page. */
  private async readPage(): Promise<OpenPage | undefined> {
    const offset = this.at;
    sound(offset < this.end, `the column ends with ${this.left} values missing`);
    const { header, end } = await this.readHeader();
    within(header.compressed, MOST_PAGE, 'a page is too large');
    within(header.uncompressed, MOST_PAGE, 'a page is too large');
    sound(end + header.compressed <= this.end, 'the page passes the end of its column');
    const bytes = await this.bytes(end, header.compressed);
    this.at = end + header.compressed;
    switch (header.kind) {
      case PageKind.DICTIONARY:
        await this.readDictionary(header, bytes);
        return undefined;
      case PageKind.DATA:
        return this.openV1(offset, header, await decompress(this.meta.codec, bytes, header.uncompressed));
      case PageKind.DATA_V2:
        return this.openV2(offset, header, bytes);
      default:
        // Kinds of page that are not known are to be passed over.
        return undefined;
    }
  }

  private async readHeader(): Promise<{ header: PageHeader; end: number }> {
    for (let size = 512; ; size *= 8) {
      const bytes = await this.bytes(this.at, Math.min(size, this.end - this.at));
      try {
        const { header, end } = decodePageHeader(bytes, 0);
        return { header, end: this.at + end };
      } catch (error) {
        const mayContinue = bytes.byteLength < this.end - this.at && size < MOST_HEADER;
        if (!(error instanceof ThriftEnd) || !mayContinue) throw error;
      }
    }
  }

  /** Bytes of the chunk, through a window that is read ahead; no byte is read twice. */
  private async bytes(at: number, length: number): Promise<Uint8Array> {
    const have = this.window.subarray(at - this.windowAt);
    if (have.byteLength < length) {
      const from = at + have.byteLength;
      const missing = Math.max(length - have.byteLength, Math.min(this.readAhead, this.end - from));
      const more = await this.source.read(from, missing);
      this.window = have.byteLength === 0 ? more : Buffer.concat([have, more]);
      sound(this.window.byteLength >= length, 'the file is cut short');
    } else this.window = have;
    this.windowAt = at;
    return this.window.subarray(0, length);
  }

  private async readDictionary(header: PageHeader, bytes: Uint8Array): Promise<void> {
    sound(this.dictionary === undefined, 'the column has two dictionaries');
    const { encoding } = header;
    sound(
      encoding === Encoding.PLAIN || encoding === Encoding.PLAIN_DICTIONARY,
      'the dictionary is not PLAIN',
    );
    const plain = await decompress(this.meta.codec, bytes, header.uncompressed);
    const dictionary = collectorFor(this.leaf, 0);
    if (dictionary instanceof BoolCollector) throw new Damage('booleans have no dictionary');
    decoderFor(this.leaf, Encoding.PLAIN, plain, 0, plain.byteLength, undefined).read(
      header.values,
      dictionary,
    );
    this.dictionary = dictionary;
  }

  /** Version 1: levels and values are compressed together, levels with their length in front. */
  private openV1(offset: number, header: PageHeader, bytes: Uint8Array): OpenPage {
    const { maxDef, maxRep } = this.leaf;
    const rep = levelsV1(bytes, 0, maxRep, header.repEncoding, header.values);
    const def = levelsV1(bytes, rep.end, maxDef, header.defEncoding, header.values);
    return this.opened(offset, header, rep.reader, def.reader, bytes, def.end);
  }

  /** Version 2: levels first and never compressed, their lengths in the header. */
  private async openV2(offset: number, header: PageHeader, bytes: Uint8Array): Promise<OpenPage> {
    const { repBytes, defBytes, uncompressed, isCompressed } = header;
    const levels = repBytes + defBytes;
    sound(levels <= bytes.byteLength && levels <= uncompressed, 'the levels pass the end of their page');
    const { maxDef, maxRep } = this.leaf;
    const rep = levelsV2(bytes, 0, repBytes, maxRep);
    const def = levelsV2(bytes, repBytes, levels, maxDef);
    const body = bytes.subarray(levels);
    const codec = isCompressed ? this.meta.codec : 0;
    const plain = await decompress(codec, body, uncompressed - levels);
    return this.opened(offset, header, rep, def, plain, 0);
  }

  private opened(
    offset: number,
    header: PageHeader,
    rep: NumberReader,
    def: NumberReader,
    bytes: Uint8Array,
    at: number,
  ): OpenPage {
    sound(header.values <= this.left, 'the pages hold more values than the column');
    this.left -= header.values;
    const { leaf, dictionary } = this;
    const open = () => decoderFor(leaf, header.encoding, bytes, at, bytes.byteLength, dictionary);
    return new OpenPage(offset, header.values, rep, def, open);
  }
}

const ALL_ZERO = new ConstantReader(0);

function levelsV1(
  bytes: Uint8Array,
  at: number,
  max: number,
  encoding: number,
  count: number,
): { reader: NumberReader; end: number } {
  if (max === 0) return { reader: ALL_ZERO, end: at };
  const width = bitWidth(max);
  if (encoding === Encoding.BIT_PACKED) {
    const end = at + Math.ceil((count * width) / 8);
    sound(end <= bytes.byteLength, 'the levels pass the end of their page');
    return { reader: new BitPackedReader(bytes, at, end, width), end };
  }
  sound(encoding === Encoding.RLE, `levels in the encoding ${encoding} are not read`);
  sound(at + 4 <= bytes.byteLength, 'the levels pass the end of their page');
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
  const end = at + 4 + size;
  return { reader: new HybridReader(bytes, at + 4, end, width), end };
}

function levelsV2(bytes: Uint8Array, at: number, end: number, max: number): NumberReader {
  return max === 0 ? ALL_ZERO : new HybridReader(bytes, at, end, bitWidth(max));
}

/** The decoder of an encoding, for the collector that the leaf's stored type has. */
function decoderFor(
  leaf: ReadLeaf,
  encoding: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  dictionary: FixedCollector | BytesCollector | undefined,
): ValueDecoder<Collector> {
  const decoder = decoderOf(leaf.physical, encoding, bytes, at, end, dictionary);
  sound(decoder !== undefined, `the encoding ${encoding} is not read for the stored type ${leaf.physical}`);
  // Stored type and encoding together settle which collector a decoder takes.
  return decoder as ValueDecoder<Collector>;
}

type AnyDecoder = ValueDecoder<FixedCollector> | ValueDecoder<BoolCollector> | ValueDecoder<BytesCollector>;

function decoderOf(
  physical: number,
  encoding: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  dictionary: FixedCollector | BytesCollector | undefined,
): AnyDecoder | undefined {
  const isBool = physical === Physical.BOOLEAN;
  const isBytes = physical === Physical.BYTE_ARRAY;
  const isFixed = physical === Physical.FIXED_LEN_BYTE_ARRAY;
  const isInteger = physical === Physical.INT32 || physical === Physical.INT64;
  switch (encoding) {
    case Encoding.PLAIN:
      if (isBool) return new PlainBools(bytes, at, end);
      return isBytes ? new PlainBytes(bytes, at, end) : new PlainFixed(bytes, at, end);
    case Encoding.PLAIN_DICTIONARY:
    case Encoding.RLE_DICTIONARY:
      return isBool ? undefined : dictionaryDecoder(dictionary, bytes, at, end);
    case Encoding.RLE:
      return isBool ? new RunBools(bytes, at, end) : undefined;
    case Encoding.DELTA_BINARY_PACKED:
      return isInteger ? new DeltaFixed(bytes, at, end) : undefined;
    case Encoding.DELTA_LENGTH_BYTE_ARRAY:
      return isBytes ? new DeltaLengthBytes(bytes, at, end) : undefined;
    case Encoding.DELTA_BYTE_ARRAY:
      if (isBytes) return new DeltaBytes(bytes, at, end);
      return isFixed ? new DeltaFixedBytes(bytes, at, end) : undefined;
    case Encoding.BYTE_STREAM_SPLIT:
      return isBool || isBytes ? undefined : new SplitFixed(bytes, at, end);
    default:
      return undefined;
  }
}
