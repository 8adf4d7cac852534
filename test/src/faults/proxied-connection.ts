import type { Socket } from 'node:net';
import type { Link } from './link.js';

/** How a connection ends: told at once and losing what is under way (RST), or in order, behind what was sent (FIN). */
export type Cut = 'reset' | 'end';

/** A request that stands before the server, which knows nothing of it. */
export interface HeldRequest {
  /** Cuts the client off. The server is not told, and the request may still come in. */
  cutClient(): void;
  /**
   * Lets the request through, and what the client has sent behind it. Resolves when the server has answered it,
   * whether the client is still there or not.
   */
  deliver(): Promise<void>;
  /** Cuts both sides off: the request is lost. */
  drop(): void;
}

/** What happens to the next request that a proxy watches for. */
export type RequestFault =
  | { readonly kind: 'lose-reply'; readonly struck: () => void }
  | { readonly kind: 'hold'; readonly struck: (held: HeldRequest) => void };

/** What a connection asks of its proxy. */
export interface Proxied {
  readonly link: Link;
  /** The fault for a request that is there, which strikes once. */
  takeFault(): RequestFault | undefined;
}

/** One connection through a fault proxy. */
export class ProxiedConnection {
  /** Resolves when both sides are gone. */
  readonly closed: Promise<unknown>;
  /** The server's answers are swallowed; called when it has said what it had to say. */
  private deaf: (() => void) | undefined;
  /** Called when the server says something, or ends. */
  private heard: () => void = () => {};
  /** The server is to finish what it was asked though the client is gone. */
  private patient = false;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly proxy: Proxied,
    /** See `RequestFinder`. */
    private readonly find: (bytes: Buffer) => number,
  ) {
    for (const socket of [client, server]) socket.on('error', () => {});
    this.closed = Promise.all([gone(client), gone(server)]);
    void this.serveClient();
    void this.serveServer();
  }

  cut(how: Cut): void {
    for (const socket of [this.client, this.server]) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.destroySoon();
    }
  }

  private async serveClient(): Promise<void> {
    const { client, server, proxy } = this;
    let ended = false;
    try {
      for await (const bytes of client.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        await proxy.link.open();
        await this.ask(bytes);
      }
      ended = true;
    } catch {
      // The client is gone, without a word.
    }
    await proxy.link.open();
    if (ended || this.patient) server.end();
    else server.destroySoon();
  }

  private async serveServer(): Promise<void> {
    const { client, server, proxy } = this;
    try {
      for await (const bytes of server.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        this.heard();
        await proxy.link.open();
        if (this.deaf === undefined) await proxy.link.send(bytes, client);
        else this.hangUp();
      }
      await proxy.link.open();
      if (this.deaf === undefined) client.end();
    } catch {
      await proxy.link.open();
      client.destroySoon();
    }
    this.heard();
    if (this.deaf !== undefined) this.hangUp();
    this.deaf?.();
  }

  /** Sends a client's bytes to the server, unless they are a request that something happens to. */
  private async ask(bytes: Buffer): Promise<void> {
    const { link } = this.proxy;
    const at = this.find(bytes);
    const fault = at < 0 ? undefined : this.proxy.takeFault();
    if (fault?.kind === 'hold') {
      await link.send(bytes.subarray(0, at), this.server);
      await new Promise<void>((deliver) => fault.struck(this.held(deliver)));
      await link.send(bytes.subarray(at), this.server);
      return;
    }
    if (fault?.kind === 'lose-reply') {
      this.patient = true;
      this.deaf = fault.struck;
    }
    await link.send(bytes, this.server);
  }

  private held(deliver: () => void): HeldRequest {
    this.patient = true;
    return {
      cutClient: () => this.client.resetAndDestroy(),
      deliver: () =>
        new Promise((answered) => {
          this.heard = answered;
          deliver();
        }),
      drop: () => this.cut('reset'),
    };
  }

  /** The answer is here and nobody hears it; the server may end what it still does. */
  private hangUp(): void {
    this.client.resetAndDestroy();
    this.server.end();
  }
}

function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}
