import { describe, expect, it } from 'vitest';
import { describeWithServer } from './describe-with-server.js';

const ports: number[] = [];

describe('several blocks of one file', () => {
  describeWithServer(
    'postgres-15',
    (server) => {
      it('get the server from inside their tests', async () => {
        await server().psql('CREATE TABLE seen AS SELECT 1 AS by_first');
        ports.push(server().port);
      });
    },
    {},
  );

  describeWithServer(
    'postgres-15',
    (server) => {
      it('share it when they ask for the same', async () => {
        expect(await server().psql('SELECT by_first FROM seen')).toBe('1');
        expect(server().port).toBe(ports[0]);
      });
    },
    {},
  );

  describeWithServer(
    'postgres-15',
    (server) => {
      it('get another with other settings', async () => {
        expect(await server().psql('SHOW max_connections')).toBe('17');
        expect(server().port).not.toBe(ports[0]);
      });
    },
    { settings: { max_connections: '17', max_wal_senders: '5' } },
  );
});

describeWithServer('postgres-15', (server) => {
  let early = 'handed out';
  try {
    server();
  } catch (error) {
    early = String(error);
  }

  it('does not hand out the server while tests are being declared', () => {
    expect(early).toContain('postgres-15 runs during tests and hooks only');
  });
});
