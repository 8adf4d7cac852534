/** The columns of a stream, put together from samples of its files. */
import type { Guess } from '@sluice/formats';
import { type Field, formatType } from '@sluice/sdk';
import type { DeclaredTypes } from './declared-types.js';
import type { Inspection } from './format-reader.js';
import type { SourceFile } from './source-files.js';

/** What a sample of one file says. */
export interface FileSample {
  readonly columns: readonly string[];
  /** One for each column. */
  readonly guesses: readonly Guess[];
  readonly rows: number;
  readonly bytes: number;
  readonly whole: boolean;
}

/** Most files of a stream that are looked at; the others are checked when they are read. */
const MOST_FILES = 64;

/**
 * Files to look at: all of a few. Of many, half are those that were changed last, since what is new in a growing folder
 * has columns that are new; the others are spread evenly, the first and the last among them.
 */
export function spread(files: readonly SourceFile[]): readonly SourceFile[] {
  if (files.length <= MOST_FILES) return files;
  const half = MOST_FILES / 2;
  const chosen = new Set([...files].sort((a, b) => changedAt(b) - changedAt(a)).slice(0, half));
  const others = files.filter((file) => !chosen.has(file));
  for (let i = 0; i < half; i++) chosen.add(others[Math.round((i * (others.length - 1)) / (half - 1))]!);
  return files.filter((file) => chosen.has(file));
}

function changedAt({ modifiedMs = 0 }: SourceFile): number {
  return modifiedMs;
}

export class GuessedColumns {
  private readonly guesses = new Map<string, Guess>();
  private readonly missing = new Map<string, string>();
  private rows = 0;
  private bytes = 0;
  private files = 0;
  private whole = true;

  add(file: SourceFile, sample: FileSample): void {
    for (const known of this.guesses.keys()) {
      if (!sample.columns.includes(known) && !this.missing.has(known)) this.missing.set(known, file.path);
    }
    for (const [i, name] of sample.columns.entries()) {
      const known = this.guesses.get(name);
      if (known === undefined && this.files > 0) this.missing.set(name, 'earlier files');
      if (known === undefined) this.guesses.set(name, sample.guesses[i]!);
      else known.merge(sample.guesses[i]!);
    }
    this.files++;
    this.rows += sample.rows;
    this.bytes += sample.bytes;
    this.whole &&= sample.whole;
  }

  inspection(stream: string, files: readonly SourceFile[], declared: DeclaredTypes): Inspection {
    const whole = this.whole && this.files === files.length;
    const notes = [this.summary(files.length, whole)];
    const fields: Field[] = [];
    for (const [name, guess] of this.guesses) {
      const type = declared.of(stream, name);
      const guessed = guess.type(whole);
      fields.push({ name, type: type ?? guessed, nullable: true });
      if (type === undefined && guess.isConflict)
        notes.push(`${name} is ${formatType(guessed)}: ${guess.explain()}`);
      const missing = this.missing.get(name);
      if (missing !== undefined) notes.push(`${name} is missing in ${missing}: null there`);
    }
    const size = files.reduce((sum, file) => sum + file.size, 0);
    const perRow = this.bytes / Math.max(this.rows, 1);
    const estimatedRows = whole ? this.rows : Math.round(size / Math.max(perRow, 1));
    return { fields, notes, estimatedRows };
  }

  private summary(files: number, whole: boolean): string {
    const seen = `${this.rows} rows of ${this.files} file${this.files === 1 ? '' : 's'}`;
    return `types guessed from ${seen}${whole ? ', all there are' : `, not all (of ${files} in sum)`}`;
  }
}
