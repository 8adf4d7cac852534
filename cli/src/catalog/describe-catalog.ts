/** What discovery found, as data. */
import { type CatalogStream, formatType, type Verdict } from '@sluice/sdk';

export interface CatalogColumn {
  readonly column: string;
  /** The system's own type. */
  readonly native: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly verdict: Verdict;
  readonly note?: string;
}

export interface CatalogDescription {
  readonly stream: string;
  readonly key: readonly string[];
  readonly estimatedRows?: number;
  readonly estimatedBytes?: number;
  readonly columns: readonly CatalogColumn[];
  readonly notes: readonly string[];
  /** Why it cannot be read. */
  readonly problem?: { readonly code: string; readonly message: string; readonly help: string };
}

export function describeCatalogStream(found: CatalogStream): CatalogDescription {
  const { schema, types, estimatedRows, estimatedBytes, broken, notes = [] } = found;
  const problem = found.problem ?? broken;
  const verdicts = new Map(types.map((verdict) => [verdict.column, verdict]));
  return {
    stream: schema.stream,
    key: schema.key,
    ...(estimatedRows !== undefined && { estimatedRows }),
    ...(estimatedBytes !== undefined && { estimatedBytes }),
    columns: schema.fields.map(({ name, type, nullable, native }) => {
      const { from = native ?? '', verdict = 'exact', note } = verdicts.get(name) ?? {};
      return {
        column: name,
        native: from,
        type: formatType(type),
        nullable,
        verdict,
        ...(note !== undefined && { note }),
      };
    }),
    notes,
    ...(problem && { problem: { code: problem.code, message: problem.message, help: problem.help } }),
  };
}
