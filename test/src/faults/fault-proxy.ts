/**
 * A TCP proxy in front of a real server, for what a test cannot make the server or the network do: slow, cut and dead
 * connections, answers that are lost, and requests that come in long after they were sent. It knows no protocol.
 */
import { connect, createServer, type Socket } from 'node:net';
import { Link } from './link.js';
import { type Cut, type HeldRequest, ProxiedConnection, type RequestFault } from './proxied-connection.js';

/**
 * Finds the requests that faults are for, say commits, in what a client sends. Called for every connection; the function
 * that it returns gets the connection's bytes in order, in pieces that may end anywhere, and answers where in the piece
 * such a request stands (or goes on, when it began in a piece before), and -1 when there is none.
 */
export type RequestFinder = () => (bytes: Buffer) => number;

export class FaultProxy {
  /** What the line does to all connections: delay, rate, stall. */
  readonly link = new Link();
  private fault: RequestFault | undefined;
  private readonly connections = new Set<ProxiedConnection>();
  private readonly server = createServer({ allowHalfOpen: true }, (client) => this.accept(client));

  private constructor(
    private readonly target: { readonly host: string; readonly port: number },
    private readonly requests: RequestFinder,
  ) {}

  /**
   * Begins to listen on a free port of 127.0.0.1.
   * @param url of the server; host and port are what counts
   * @param requests which requests `loseReply` and `holdRequest` are for; none by default
   */
  static async start(url: string, requests: RequestFinder = () => () => -1): Promise<FaultProxy> {
    const { hostname, port } = new URL(url);
    const proxy = new FaultProxy({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }, requests);
    await new Promise<void>((resolve, reject) => {
      proxy.server.once('error', reject);
      proxy.server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  /** The URL of something at the server, by way of the proxy. */
  through(url: string): string {
    const parts = new URL(url);
    parts.hostname = '127.0.0.1';
    parts.port = String(this.port);
    return parts.href;
  }

  /** Breaks every connection on both sides. New ones can be made. */
  cut(how: Cut = 'reset'): void {
    for (const connection of this.connections) connection.cut(how);
  }

  /** Breaks every connection once so many more bytes have gone through, both ways together. Resolves when it does. */
  cutAfter(bytes: number, how: Cut = 'reset'): Promise<void> {
    return new Promise((resolve) => {
      this.link.after(bytes, () => {
        this.cut(how);
        resolve();
      });
    });
  }

  /**
   * Lets the next request through and cuts the client when the server answers: it was done, and nobody was told.
   * Resolves when the server has done it and closed its end.
   */
  loseReply(): Promise<void> {
    return new Promise((struck) => {
      this.fault = { kind: 'lose-reply', struck };
    });
  }

  /** Stops the next request before the server; what the client sends behind it waits too. Resolves when it is there. */
  holdRequest(): Promise<HeldRequest> {
    return new Promise((struck) => {
      this.fault = { kind: 'hold', struck };
    });
  }

  /** What has not struck yet does not strike any more, and never resolves. */
  calm(): void {
    this.fault = undefined;
    this.link.after(Number.POSITIVE_INFINITY, () => {});
  }

  /** The fault for a request that is there, which strikes once. */
  takeFault(): RequestFault | undefined {
    const { fault } = this;
    this.fault = undefined;
    return fault;
  }

  /** Breaks every connection and accepts no other. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    this.cut();
    await closed;
  }

  private accept(client: Socket): void {
    const { host, port } = this.target;
    const server = connect({ host, port, allowHalfOpen: true });
    for (const socket of [client, server]) socket.setNoDelay(true);
    const connection = new ProxiedConnection(client, server, this, this.requests());
    this.connections.add(connection);
    void connection.closed.then(() => this.connections.delete(connection));
  }
}
