/**
 * Cuts a zstd file (RFC 8878) at the ends of its frames, without decoding them: blocks say how long they are. Frames that
 * are to be skipped are left out.
 */

/** Bytes of one frame. */
export interface FramePiece {
  readonly bytes: Uint8Array;
  /** Whether the frame ends with them. */
  readonly end: boolean;
  /** At the end: the low half of the XXH64 of its text, where the frame says it. */
  readonly checksum?: number;
}

type State =
  | 'magic'
  | 'skipped-size'
  | 'skipped'
  | 'descriptor'
  | 'header'
  | 'block-header'
  | 'block'
  | 'checksum';

/** Fields whose bytes are looked at, with their length. */
const FIELDS: { readonly [S in State]?: number } = {
  magic: 4,
  'skipped-size': 4,
  descriptor: 1,
  'block-header': 3,
  checksum: 4,
};
const MAGIC = 0xfd2fb528;
const SKIPPED_MAGIC = 0x184d2a50;
const ONE_BYTE_REPEATED = 1;

export class ZstdFrames {
  /** Whether the frame that was begun last says a checksum of its text. */
  hasChecksum = false;
  private state: State = 'magic';
  /** What there is of the field so far, the lowest byte first. */
  private field = 0;
  private fieldBytes = 0;
  /** Bytes to pass before the next state. */
  private left = 0;
  private isLastBlock = false;

  /** The pieces of frames in the file's next bytes, as views of them. Throws where no frame begins. */
  *cut(bytes: Uint8Array): Generator<FramePiece> {
    let from = 0;
    let at = 0;
    while (at < bytes.byteLength || this.left === 0) {
      const wanted = FIELDS[this.state];
      if (wanted === undefined) {
        const passed = Math.min(this.left, bytes.byteLength - at);
        at += passed;
        this.left -= passed;
        if (this.left > 0) break;
      } else {
        if (at === bytes.byteLength) break;
        this.field += bytes[at++]! * 256 ** this.fieldBytes++;
        if (this.fieldBytes < wanted) continue;
      }
      const { state } = this;
      const value = this.takeField();
      const isOver = this.enterNext(value);
      if (state === 'magic' && this.state === 'descriptor') {
        // Its first bytes may be of an earlier piece.
        yield { bytes: Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), end: false };
      }
      if (isOver) {
        const checksum = state === 'checksum' && { checksum: value };
        yield { bytes: bytes.subarray(from, at), end: true, ...checksum };
      }
      if (isOver || state === 'magic' || state === 'skipped') from = at;
    }
    const isInFrame = this.state !== 'magic' && !this.state.startsWith('skipped');
    if (isInFrame && from < at) yield { bytes: bytes.subarray(from, at), end: false };
  }

  /** To be called behind the last bytes. Throws where a frame is cut short. */
  finish(): void {
    if (this.state !== 'magic' || this.fieldBytes > 0) throw new Error('unexpected end of file');
  }

  private takeField(): number {
    const value = this.field;
    this.field = 0;
    this.fieldBytes = 0;
    return value;
  }

  /** Enters what follows the present state; returns whether a frame is over. */
  private enterNext(value: number): boolean {
    switch (this.state) {
      case 'magic':
        if (value !== MAGIC && (value & 0xfffffff0) >>> 0 !== SKIPPED_MAGIC)
          throw new Error('no zstd frame begins there');
        this.state = value === MAGIC ? 'descriptor' : 'skipped-size';
        return false;
      case 'skipped-size':
        this.state = 'skipped';
        this.left = value;
        return false;
      case 'descriptor':
        this.hasChecksum = (value & 4) !== 0;
        this.state = 'header';
        this.left = headerBytes(value);
        return false;
      case 'header':
        this.state = 'block-header';
        return false;
      case 'block-header':
        this.isLastBlock = (value & 1) === 1;
        this.state = 'block';
        this.left = ((value >> 1) & 3) === ONE_BYTE_REPEATED ? 1 : value >> 3;
        return false;
      case 'block':
        if (!this.isLastBlock) this.state = 'block-header';
        else this.state = this.hasChecksum ? 'checksum' : 'magic';
        return this.state === 'magic';
      case 'checksum':
        this.state = 'magic';
        return true;
      case 'skipped':
        this.state = 'magic';
        return false;
    }
  }
}

/** Bytes of a frame's header behind its descriptor. */
function headerBytes(descriptor: number): number {
  const single = (descriptor >> 5) & 1;
  const flag = descriptor >> 6;
  const size = flag === 0 ? single : 1 << flag;
  return 1 - single + [0, 1, 2, 4][descriptor & 3]! + size;
}
