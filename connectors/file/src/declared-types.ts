/** Types that the configuration declares instead of the guessed ones. */
import { type Field, type LogicalType, nearestName, parseType } from '@sluice/sdk';
import { fileErrors } from './errors.js';

/** Declared types by `column` or `stream.column`. */
export class DeclaredTypes {
  private readonly types: ReadonlyMap<string, LogicalType>;

  /** Throws `SLUICE-SDK-0003` when a text is no type. */
  constructor(texts: { readonly [column: string]: string }) {
    this.types = new Map(Object.entries(texts).map(([column, text]) => [column, parseType(text)]));
  }

  of(stream: string, column: string): LogicalType | undefined {
    return this.types.get(`${stream}.${column}`) ?? this.types.get(column);
  }

  /** Refuses names that no stream has: `SLUICE-FILE-0006`. */
  requireKnown(streams: readonly { readonly stream: string; readonly fields: readonly Field[] }[]): void {
    const known = new Set(
      streams.flatMap(({ stream, fields }) => fields.flatMap(({ name }) => [name, `${stream}.${name}`])),
    );
    for (const name of this.types.keys()) {
      if (known.has(name)) continue;
      const near = nearestName(name, known);
      throw fileErrors.unknownColumn(
        `types names ${name}, which no file has${near ? `; did you mean ${near}?` : ''}`,
      );
    }
  }
}
