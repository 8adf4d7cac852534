/**
 * The socket under a session. Without TLS the kernel's bytes are read straight into the session's receive buffer
 * (Node's `onread`), so that the rows of a COPY are not copied once on their way through; TLS decrypts into
 * chunks of its own, which are copied there.
 */
import { Socket } from 'node:net';
import { ReceiveBuffer } from './receive-buffer.js';
import type { Wire } from './session.js';

/** Bytes that may wait in the process for the kernel to take them. */
const WRITE_AHEAD = 1024 * 1024;
const IDLE_BUFFER = 64 * 1024;

/** A socket for `pg` to log in with; `taken` turns its bytes over to the session. */
export class PlainSocket {
  readonly socket: Socket;
  private readonly rx = new ReceiveBuffer(IDLE_BUFFER);
  private wire: Wire | undefined;
  private reading = true;

  constructor() {
    const onread = {
      buffer: () => this.rx.space(),
      callback: (count: number, bytes: Uint8Array) => this.read(count, bytes),
    };
    const options = { onread, writableHighWaterMark: WRITE_AHEAD };
    this.socket = new Socket(options as ConstructorParameters<typeof Socket>[0]);
  }

  taken(): Wire {
    const { socket, rx } = this;
    socket.removeAllListeners('data');
    const wire: Wire = {
      socket,
      rx,
      onBytes() {},
      pause: () => {
        this.reading = false;
      },
      resume: () => {
        this.reading = true;
        socket.resume();
      },
    };
    this.wire = wire;
    return wire;
  }

  /** Returns false to stop reading until `resume`. */
  private read(count: number, bytes: Uint8Array): boolean {
    const { rx, wire } = this;
    if (wire === undefined) {
      this.socket.emit('data', Buffer.from(bytes.subarray(0, count)));
      return true;
    }
    const inPlace = bytes.buffer === rx.bytes.buffer && bytes.byteOffset === rx.bytes.byteOffset + rx.tail;
    if (inPlace) {
      rx.tail += count;
      wire.onBytes();
    } else {
      // The buffer was given to the kernel before the session changed it.
      feed(wire, bytes.subarray(0, count));
    }
    return this.reading;
  }
}

/** Turns the bytes of an encrypted socket over to the session. */
export function takeEncrypted(socket: Socket): Wire {
  socket.removeAllListeners('data');
  const wire: Wire = {
    socket,
    rx: new ReceiveBuffer(IDLE_BUFFER),
    onBytes() {},
    pause: () => {
      socket.pause();
    },
    resume: () => {
      socket.resume();
    },
  };
  socket.on('data', (chunk: Buffer) => feed(wire, chunk));
  return wire;
}

function feed(wire: Wire, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    const space = wire.rx.space();
    const part = bytes.subarray(at, at + space.length);
    space.set(part);
    wire.rx.tail += part.length;
    at += part.length;
    wire.onBytes();
  }
}
