/** Log messages for programs: JSON lines on stderr. */
import type { Logger } from '@sluice/sdk';
import { pino } from 'pino';
import type { LogLevel } from './log-level.js';
import type { OutStream } from './out-stream.js';

export function jsonLogger(stream: OutStream, least: LogLevel): Logger {
  const lines = { write: (line: string) => stream.json(JSON.parse(line)) };
  const formatters = { level: (level: string) => ({ level }) };
  const logger = pino(
    { level: least, base: null, formatters, timestamp: pino.stdTimeFunctions.isoTime },
    lines,
  );
  const log = (level: LogLevel) => (message: string, fields?: { readonly [name: string]: unknown }) => {
    logger[level]({ ...fields }, message);
  };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}
