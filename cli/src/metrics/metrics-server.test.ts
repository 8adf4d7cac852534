import { afterEach, expect, it } from 'vitest';
import { type MetricsServer, serveMetrics } from './metrics-server.js';

const servers: MetricsServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(port: number, text: () => string): Promise<MetricsServer> {
  const server = await serveMetrics('127.0.0.1', port, text);
  servers.push(server);
  return server;
}

it('serves the text of the moment under /metrics, as Prometheus wants it', async () => {
  let n = 0;
  const { url } = await serve(0, () => `sluice_x ${++n}\n`);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  const first = await fetch(url);
  expect(first.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await first.text()).toBe('sluice_x 1\n');
  expect(await (await fetch(`${url}?name=x`)).text()).toBe('sluice_x 2\n');
});

it('serves nothing else', async () => {
  const { url } = await serve(0, () => 'sluice_x 1\n');
  expect((await fetch(new URL('/', url))).status).toBe(404);
  const posted = await fetch(url, { method: 'POST', body: 'x' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

it('says so when the port is taken', async () => {
  const { url } = await serve(0, () => '');
  await expect(serve(Number(new URL(url).port), () => '')).rejects.toMatchObject({
    code: 'SLUICE-CLI-0005',
    class: 'config',
  });
});
