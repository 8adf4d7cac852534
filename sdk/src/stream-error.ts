/**
 * Errors that belong to one stream, and say so in `details.stream`: a table that is gone, a right that is missing on it,
 * a row that it refuses. A flow may go on without such a stream. What is wrong with a connection, a server or a disk
 * names no stream, whichever was under way.
 */
import { SluiceError, toSluiceError } from './errors.js';

/** The error as one of the stream's alone. One that names a stream stays as it is. */
export function streamError(error: unknown, stream: string): SluiceError {
  const coded = toSluiceError(error);
  if (streamOf(coded) !== undefined) return coded;
  const { code, class: errorClass, help, message, details, cause, stack, retryAfterMs } = coded;
  const named = new SluiceError({ code, name: '', class: errorClass, title: '', help }, message, {
    cause,
    details: { ...details, stream },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
  return Object.assign(named, { stack });
}

/** The stream that an error belongs to; undefined where it names none. */
export function streamOf({ details }: Pick<SluiceError, 'details'>): string | undefined {
  const { stream } = details;
  return typeof stream === 'string' ? stream : undefined;
}
