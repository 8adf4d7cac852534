import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultProxy, type RequestFinder } from './fault-proxy.js';

/** Everything that a socket has been sent, and how it ended. */
class Ear {
  text = '';
  error: string | undefined;
  ended = false;
  readonly closed: Promise<unknown>;

  constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }
}

/** Requests begin with `!`; the server, which echoes what it hears, answers them with `done`. */
const marked: RequestFinder = () => (bytes) => bytes.indexOf('!');

let server: Server;
/** The server's ends of the connections. */
let accepted: Ear[];
let proxy: FaultProxy;

beforeEach(async () => {
  accepted = [];
  server = createServer((socket) => {
    accepted.push(new Ear(socket));
    socket.on('data', (bytes) => {
      if (bytes.includes('!')) socket.write('done');
      else socket.write(bytes);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  proxy = await FaultProxy.start(`tcp://127.0.0.1:${address.port}`, marked);
});
afterEach(async () => {
  await proxy.stop();
  for (const { socket } of accepted) socket.destroy();
  server.close();
});

async function open(): Promise<Ear> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  return new Ear(socket);
}

const said = (ear: Ear, text: string) => expect.poll(() => ear.text, { timeout: 10_000 }).toBe(text);
const arrived = (text: string) => expect.poll(() => accepted[0]?.text, { timeout: 10_000 }).toBe(text);
const silence = () => new Promise((resolve) => setTimeout(resolve, 100));

describe('a proxy without faults', () => {
  it('passes bytes both ways, large ones too, and counts them', async () => {
    const client = await open();
    const text = 'abcdefgh'.repeat(500_000);
    client.socket.write(text);
    await expect.poll(() => client.text.length, { timeout: 10_000 }).toBe(text.length);
    expect(client.text === text).toBe(true);
    expect(proxy.link.bytes).toBe(2 * text.length);
  });

  it('passes the end of one side on, and what the other still says', async () => {
    server.removeAllListeners('connection');
    server.on('connection', (socket) => {
      socket.resume().on('end', () => socket.end('last words'));
    });
    const client = await open();
    client.socket.end('bye');
    await client.closed;
    expect(client).toMatchObject({ text: 'last words', ended: true, error: undefined });
  });

  it('ends the client where there is no server', async () => {
    const nowhere = await FaultProxy.start('tcp://127.0.0.1:1');
    const client = new Ear(connect(nowhere.port, '127.0.0.1'));
    await client.closed;
    await nowhere.stop();
  });

  it('gives the URL by way of itself', () => {
    const url = proxy.through('postgres://me:secret@db.example:5432/shop?a=b');
    expect(url).toBe(`postgres://me:secret@127.0.0.1:${proxy.port}/shop?a=b`);
  });
});

describe('a line that', () => {
  it('is slow to answer delays what goes over it', async () => {
    proxy.link.delayMs = 60;
    const client = await open();
    const begin = performance.now();
    client.socket.write('a');
    await said(client, 'a');
    expect(performance.now() - begin).toBeGreaterThan(115);
  });

  it('has a rate keeps it, and holds the sender back', async () => {
    proxy.link.bytesPerSecond = 50_000;
    const client = await open();
    const begin = performance.now();
    client.socket.write('x'.repeat(10_000));
    await expect.poll(() => client.text.length, { timeout: 10_000 }).toBe(10_000);
    expect(performance.now() - begin).toBeGreaterThan(190);
  });

  it('is stalled lets nothing through and tells nobody, until it goes on', async () => {
    const client = await open();
    client.socket.write('before ');
    await said(client, 'before ');
    proxy.link.stall();
    client.socket.write('behind');
    const late = await open();
    late.socket.end('late');
    await silence();
    expect(accepted[0]!.text).toBe('before ');
    expect(client).toMatchObject({ text: 'before ', ended: false, error: undefined });
    proxy.link.resume();
    await said(client, 'before behind');
    await said(late, 'late');
  });
});

describe('a cut', () => {
  it('by reset is told to both sides at once', async () => {
    const client = await open();
    client.socket.write('a');
    await said(client, 'a');
    proxy.cut();
    await Promise.all([client.closed, accepted[0]!.closed]);
    expect(client).toMatchObject({ error: 'ECONNRESET', ended: false });
    expect(accepted[0]).toMatchObject({ error: 'ECONNRESET', ended: false });
  });

  it('by end comes behind what was sent', async () => {
    const client = await open();
    client.socket.write('a');
    await said(client, 'a');
    proxy.cut('end');
    client.socket.end();
    await Promise.all([client.closed, accepted[0]!.closed]);
    expect(client).toMatchObject({ text: 'a', ended: true });
    expect(accepted[0]).toMatchObject({ ended: true });
  });

  it('after so many bytes is at that byte', async () => {
    const client = await open();
    const cut = proxy.cutAfter(5, 'end');
    client.socket.write('abcdefgh');
    await cut;
    await accepted[0]!.closed;
    expect(accepted[0]!.text).toBe('abcde');
    const next = await open();
    next.socket.write('again');
    await said(next, 'again');
  });
});

describe('a request', () => {
  it('whose reply is lost was done, and its client hears nothing but that it is cut off', async () => {
    const lost = proxy.loseReply();
    const client = await open();
    client.socket.write('a');
    await said(client, 'a');
    client.socket.write('!');
    await lost;
    await client.closed;
    expect(client).toMatchObject({ text: 'a', error: 'ECONNRESET' });
    expect(accepted[0]).toMatchObject({ text: 'a!', error: undefined });
    const next = await open();
    next.socket.write('!');
    await said(next, 'done');
  });

  it('that is held comes in when it is delivered, in order with what is behind it', async () => {
    const holding = proxy.holdRequest();
    const client = await open();
    client.socket.write('before!1');
    const held = await holding;
    client.socket.write('behind');
    await arrived('before');
    await silence();
    expect(accepted[0]!.text).toBe('before');
    await held.deliver();
    await arrived('before!1behind');
    await expect.poll(() => client.text, { timeout: 10_000 }).toMatch(/^beforedone/);
  });

  it('may come in long after its client was cut off', async () => {
    const holding = proxy.holdRequest();
    const client = await open();
    client.socket.write('!1');
    const held = await holding;
    held.cutClient();
    await client.closed;
    expect(client.error).toBe('ECONNRESET');
    await silence();
    expect(accepted[0]).toMatchObject({ text: '', ended: false, error: undefined });
    await held.deliver();
    await accepted[0]!.closed;
    expect(accepted[0]).toMatchObject({ text: '!1', error: undefined });
  });

  it('may come in after its client has left', async () => {
    const holding = proxy.holdRequest();
    const client = await open();
    client.socket.write('!1');
    const held = await holding;
    client.socket.destroy();
    await client.closed;
    await silence();
    expect(accepted[0]).toMatchObject({ text: '', ended: false });
    await held.deliver();
    await accepted[0]!.closed;
    expect(accepted[0]!.text).toBe('!1');
  });

  it('comes through, and no byte breaks the line, once the proxy is calm', async () => {
    void proxy.loseReply();
    void proxy.cutAfter(3);
    proxy.calm();
    const client = await open();
    client.socket.write('!1');
    await said(client, 'done');
  });

  it('that is dropped never comes in', async () => {
    const holding = proxy.holdRequest();
    const client = await open();
    client.socket.write('a!');
    const held = await holding;
    await arrived('a');
    held.drop();
    await Promise.all([client.closed, accepted[0]!.closed]);
    expect(accepted[0]!.text).toBe('a');
  });
});
