/** `--metrics-port`: metrics for a Prometheus that scrapes them. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EXPOSITION_TYPE } from '@sluice/core';
import { cliErrors } from '../errors.js';

export interface MetricsServer {
  readonly url: string;
  /** Ends also connections that are open. */
  close(): Promise<void>;
}

const PATH = '/metrics';

/** Serves what `text` returns, made anew for each request. Rejects with `SLUICE-CLI-0005`. */
export async function serveMetrics(host: string, port: number, text: () => string): Promise<MetricsServer> {
  const server = createServer(({ method, url = '' }, response) => {
    if (url.split('?')[0] !== PATH) answer(response, 404, `metrics are at ${PATH}\n`);
    else if (method !== 'GET' && method !== 'HEAD') answer(response, 405, 'metrics are only read\n');
    else answer(response, 200, text(), EXPOSITION_TYPE);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        cliErrors.portUnusable(`metrics cannot be served on ${host}:${port}: ${cause.message}`, { cause }),
      ),
    );
    server.listen(port, host, resolve);
  });
  // A run does not last longer because it is watched.
  server.unref();
  const { address, family, port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}${PATH}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8') {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(text);
}
