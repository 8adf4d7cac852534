/**
 * Writes a WebAssembly module, as far as it takes to compute with vectors of 128 bits: the binary format of the
 * WebAssembly core specification 2.0, chapter 5.
 */

/** Opcodes behind the prefix of vector instructions. */
const VECTOR = {
  'v128.load': 0x00,
  'v128.store': 0x0b,
  'i8x16.swizzle': 0x0e,
  'i8x16.splat': 0x0f,
  'i32x4.splat': 0x11,
  'i8x16.eq': 0x23,
  'i8x16.lt_u': 0x26,
  'v128.and': 0x4e,
  'v128.or': 0x50,
  'v128.xor': 0x51,
  'i8x16.shr_u': 0x6d,
  'i32x4.shl': 0xab,
  'i32x4.shr_u': 0xad,
  'i32x4.add': 0xae,
} as const;

const PLAIN = { 'i32.add': 0x6a, 'i32.lt_u': 0x49 } as const;

type Opcode = keyof typeof VECTOR | keyof typeof PLAIN;

const I32 = 0x7f;
const V128 = 0x7b;

/** The body of a function that takes i32 parameters and returns nothing. */
export class WasmFunction {
  private readonly code: number[] = [];
  private readonly locals: number[] = [];

  constructor(readonly parameters: number) {}

  /** Index of a new local. */
  i32Local(): number {
    return this.parameters + this.locals.push(I32) - 1;
  }
  v128Local(): number {
    return this.parameters + this.locals.push(V128) - 1;
  }

  get(local: number): this {
    return this.emit(0x20, ...unsigned(local));
  }
  set(local: number): this {
    return this.emit(0x21, ...unsigned(local));
  }
  i32(value: number): this {
    return this.emit(0x41, ...signed(value));
  }
  /** Sixteen bytes. */
  bytes(bytes: readonly number[]): this {
    return this.vector(0x0c, ...bytes);
  }
  op(...opcodes: Opcode[]): this {
    for (const name of opcodes) {
      if (name in PLAIN) this.emit(PLAIN[name as keyof typeof PLAIN]);
      else this.vector(VECTOR[name as keyof typeof VECTOR]);
    }
    return this;
  }
  /** Loads 16 bytes at the address on the stack plus `offset`; any alignment. */
  load(offset: number): this {
    return this.vector(VECTOR['v128.load'], 0, ...unsigned(offset));
  }
  store(offset: number): this {
    return this.vector(VECTOR['v128.store'], 0, ...unsigned(offset));
  }
  i32Load(offset: number): this {
    return this.emit(0x28, 0, ...unsigned(offset));
  }
  /** Stores half `lane` of a vector. */
  storeHalf(offset: number, lane: 0 | 1): this {
    return this.vector(0x5b, 0, ...unsigned(offset), lane);
  }
  /** Picks sixteen of the 32 bytes of two vectors. */
  shuffle(bytes: readonly number[]): this {
    return this.vector(0x0d, ...bytes);
  }
  call(index: number): this {
    return this.emit(0x10, ...unsigned(index));
  }
  /** Runs `body`, and again while it leaves something other than zero on the stack. */
  loop(body: () => void): this {
    this.emit(0x03, 0x40);
    body();
    return this.emit(0x0d, 0, 0x0b);
  }

  body(): number[] {
    const locals = this.locals.flatMap((type) => [1, type]);
    const content = [...unsigned(this.locals.length), ...locals, ...this.code, 0x0b];
    return [...unsigned(content.length), ...content];
  }

  private emit(...bytes: number[]): this {
    for (const byte of bytes) this.code.push(byte);
    return this;
  }
  private vector(opcode: number, ...rest: number[]): this {
    return this.emit(0xfd, ...unsigned(opcode), ...rest);
  }
}

/** What is used of the global object, which the types of Node do not have. */
interface WebAssemblyGlobal {
  validate(code: Uint8Array): boolean;
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: object };
}

export interface WasmExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly run: (...values: number[]) => void;
}

/** Undefined where the processor or this version of Node has not got what the module needs. */
export function instantiate(code: Uint8Array): WasmExports | undefined {
  const { WebAssembly } = globalThis as unknown as { WebAssembly?: WebAssemblyGlobal };
  if (WebAssembly?.validate(code) !== true) return undefined;
  return new WebAssembly.Instance(new WebAssembly.Module(code)).exports as WasmExports;
}

/** A module of these functions over one memory, which it exports; the last function is exported as `run`. */
export function wasmModule(functions: readonly WasmFunction[], pages: number): Uint8Array {
  const types = functions.map(({ parameters }) => [0x60, parameters, ...new Array(parameters).fill(I32), 0]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(
      3,
      functions.map((_, i) => unsigned(i)),
    ),
    ...section(5, [[0, ...unsigned(pages)]]),
    ...section(7, [
      [...name('memory'), 2, 0],
      [...name('run'), 0, ...unsigned(functions.length - 1)],
    ]),
    ...section(
      10,
      functions.map((one) => one.body()),
    ),
  ]);
}

function section(id: number, entries: readonly (readonly number[])[]): number[] {
  const content = [...unsigned(entries.length), ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const ends = value === (low & 0x40 ? -1 : 0);
    bytes.push(ends ? low : low | 0x80);
    if (ends) return bytes;
  }
}
