// A copied data folder carries its template's system identifier, by which PostgreSQL servers are told apart.
// This gives a copy one of its own, as initdb would have.
//
// The identifier stands in two places: in the first 8 bytes of global/pg_control, which ends its fields with
// a CRC-32C of all bytes before it, and in the long header on the first page of each WAL segment, which has
// no checksum.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const longHeaderFlag = 0x0002;
const flagsOffset = 2;
const walIdentifierOffset = 24;

/**
 * Gives a cleanly shut down data folder a new random system identifier.
 * @throws Error when the folder's pg_control is not laid out as described above
 */
export function renewSystemIdentifier(dataFolder: string): void {
  const identifier = randomBytes(8);
  identifier.writeUInt8(identifier.readUInt8(7) & 0x7f, 7);
  renewControlFile(join(dataFolder, 'global', 'pg_control'), identifier);
  const wal = join(dataFolder, 'pg_wal');
  for (const name of readdirSync(wal).filter((each) => /^[0-9A-F]{24}$/.test(each)))
    renewSegment(join(wal, name), identifier);
}

function renewControlFile(path: string, identifier: Buffer): void {
  const control = readFileSync(path);
  const checksumOffset = findChecksum(control);
  identifier.copy(control, 0);
  control.writeUInt32LE(crc32c(control.subarray(0, checksumOffset)), checksumOffset);
  writeFileSync(path, control);
}

/** The number of fields differs between versions; the checksum is where it matches what precedes it. */
function findChecksum(control: Buffer): number {
  for (let offset = 8; offset + 4 <= 512; offset += 4)
    if (crc32c(control.subarray(0, offset)) === control.readUInt32LE(offset)) return offset;
  throw new Error('pg_control holds no checksum of its fields');
}

function renewSegment(path: string, identifier: Buffer): void {
  const segment = readFileSync(path);
  if ((segment.readUInt16LE(flagsOffset) & longHeaderFlag) === 0) return;
  identifier.copy(segment, walIdentifierOffset);
  writeFileSync(path, segment);
}

/** CRC-32C (Castagnoli), reflected, as PostgreSQL computes it. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
