/** A TCP proxy that loses or delays what a test says, for servers that a test cannot make misbehave. */
import { connect, createServer, type Socket } from 'node:net';

export type Fault =
  /** Bytes to the server that contain `COMMIT` go through; the connection breaks before the answer comes back. */
  | 'lose-commit-reply'
  /** Bytes to the server that contain `COMMIT`, and all behind them, wait for `release`. */
  | 'hold-commit';

export class FaultyProxy {
  /** What happens on connections; undefined: nothing. */
  fault: Fault | undefined;
  /** Called when a fault has struck. */
  struck: () => void = () => {};
  private held: (() => void)[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((client) => this.accept(client));

  private constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  /** In front of the database of a URL. */
  static async start(url: string): Promise<{ proxy: FaultyProxy; url: string }> {
    const target = new URL(url);
    const proxy = new FaultyProxy(target.hostname, Number(target.port));
    await new Promise<void>((resolve) => {
      proxy.server.listen(0, '127.0.0.1', () => resolve());
    });
    const address = proxy.server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    const through = new URL(url);
    through.port = String(address.port);
    return { proxy, url: through.href };
  }

  /** Lets go what was held. */
  release(): void {
    this.fault = undefined;
    for (const send of this.held.splice(0)) send();
  }

  /** Breaks every connection, as a cut cable does. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private accept(client: Socket): void {
    const server = connect(this.port, this.host);
    let holding = false;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    let deaf = false;
    server.on('data', (bytes) => {
      if (!deaf) client.write(bytes);
      else client.destroy();
    });
    client.on('data', (bytes) => {
      const commits = bytes.includes('COMMIT\0');
      if (commits && this.fault === 'lose-commit-reply') {
        deaf = true;
        this.fault = undefined;
        server.write(bytes);
        this.struck();
      } else if (holding || (commits && this.fault === 'hold-commit')) {
        holding = true;
        this.held.push(() => server.write(bytes));
        if (commits) this.struck();
      } else {
        server.write(bytes);
      }
    });
  }
}
