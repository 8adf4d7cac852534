/**
 * Transactions of all kinds on tables of all kinds, chosen by a seed: rows, keys, large values, savepoints, rollbacks,
 * TRUNCATE, and tables that come, go and change their shape. The same seed yields the same statements, whatever becomes
 * of them.
 */
import { seededRandom } from '@sluice/test';

/** How a table is made, and what tells its rows apart. */
export type TableKind = 'plain' | 'composite' | 'partitioned' | 'whole' | 'indexed' | 'child' | 'keyless';

export interface RandomColumn {
  readonly name: string;
  readonly type: string;
}

export interface RandomTable {
  readonly name: string;
  readonly kind: TableKind;
  /** What rows are told apart by; of those without a key, the column that changes choose rows by. */
  readonly key: readonly RandomColumn[];
  readonly columns: readonly RandomColumn[];
  /** The table whose keys its column `ref` has. */
  readonly parent?: string;
}

/** A type of columns: its values, made of a number, and as text that Postgres and DuckDB write alike. */
interface ColumnType {
  readonly value: (g: string) => string;
  readonly postgres: (column: string) => string;
  readonly duckdb: (column: string) => string;
  /** What its columns may become. */
  readonly wider?: string;
  /** A default that is another for each row. */
  readonly volatile?: string;
}

const asText = (column: string) => `${column}::text`;
const asVarchar = (column: string) => `${column}::VARCHAR`;
const alike = { postgres: asText, duckdb: asVarchar };

/** Values that are stored outside of their rows. */
export const LARGE = 'text STORAGE EXTERNAL';
export const TYPES: { readonly [type: string]: ColumnType } = {
  smallint: { ...alike, value: (g) => `${g} * 7 % 1000`, wider: 'integer' },
  integer: {
    ...alike,
    value: (g) => `${g} * 31 % 1000`,
    wider: 'bigint',
    volatile: '(random() * 1000)::integer',
  },
  bigint: { ...alike, value: (g) => `${g}::bigint * 10000000019` },
  'numeric(12,2)': {
    ...alike,
    value: (g) => `(${g} * 37 % 100000)::numeric / 100 - 300`,
    wider: 'numeric(16,2)',
  },
  'numeric(16,2)': { ...alike, value: (g) => `${g}::numeric * 1000000.25` },
  numeric: { ...alike, value: (g) => `(${g} % 640)::numeric / 8` },
  boolean: { ...alike, value: (g) => `${g} % 3 = 0` },
  date: { ...alike, value: (g) => `date '2000-01-01' + ${g} % 9999` },
  timestamptz: {
    value: (g) => `timestamptz '2020-01-01Z' + ${g} * interval '61.000001 seconds'`,
    postgres: (column) => `(extract(epoch FROM ${column}) * 1000000)::bigint::text`,
    duckdb: (column) => `epoch_us(${column})::VARCHAR`,
    volatile: 'clock_timestamp()',
  },
  uuid: { ...alike, value: (g) => `md5((${g})::text)::uuid`, volatile: 'gen_random_uuid()' },
  jsonb: { ...alike, value: (g) => `jsonb_build_object('k', ${g}, 'l', jsonb_build_array(1, 'zwei', NULL))` },
  bytea: {
    value: (g) => `decode(md5((${g})::text), 'hex')`,
    postgres: (column) => `encode(${column}, 'hex')`,
    duckdb: (column) => `lower(hex(${column}))`,
  },
  'integer[]': {
    value: (g) => `ARRAY[${g}, NULL, ${g} % 7]`,
    postgres: (column) => `array_to_json(${column})::text`,
    duckdb: (column) => `to_json(${column})::VARCHAR`,
  },
  'varchar(20)': {
    ...alike,
    value: (g) => `left(md5((${g})::text), 1 + abs(${g}) % 20)`,
    wider: 'varchar(40)',
  },
  'varchar(40)': { ...alike, value: (g) => `'longer than twenty characters ' || ${g} % 1000`, wider: 'text' },
  text: { ...alike, value: (g) => `E'n\\u00e4me, "q"\\n' || ${g}` },
  [LARGE]: {
    value: (g) => `(SELECT string_agg(md5((${g} + s)::text), '') FROM generate_series(1, 90) s)`,
    postgres: (column) => `md5(${column})`,
    duckdb: (column) => `md5(${column})`,
  },
};

/** Keys that changes choose among; those that move go beyond them. */
const KEYS = 300;
/** Most tables that a writer has. */
const MOST = 8;
const LEAST = 4;
/** Rows of a big transaction. */
const MANY = 20_000;

export interface RandomChangesOptions {
  readonly kinds: readonly TableKind[];
  /** Whether tables come, go and change their shape. */
  readonly shapes: boolean;
}

export class RandomChanges {
  private model = new Map<string, RandomTable>();
  private readonly random: () => number;
  private names = 0;
  /** How many statements have changed the shape of tables. */
  shaped = 0;

  /** `prefix` begins the names of all its tables. */
  constructor(
    private readonly prefix: string,
    seed: number,
    private readonly options: RandomChangesOptions,
  ) {
    this.random = seededRandom(seed);
  }

  get tables(): readonly RandomTable[] {
    return [...this.model.values()];
  }

  /** A table of each kind, with rows. */
  begin(): string {
    return this.options.kinds.map((kind) => this.create(kind)).join(';\n');
  }

  /** A transaction; `mark` is a statement that it contains if it is committed. */
  next(mark: string): string {
    const before = { model: new Map(this.model), shaped: this.shaped };
    const length = this.integer(1, 6);
    const shapes = this.options.shapes && this.chance(1 / 10) ? this.integer(0, length) : Number.NaN;
    const statements: string[] = [];
    for (let i = 0; i <= length; i++) statements.push(i === shapes ? this.shape() : this.nested());
    const body = statements.join(';\n  ');
    if (!this.chance(0.1)) return `BEGIN;\n  ${body};\n  ${mark};\nCOMMIT;`;
    this.model = before.model;
    this.shaped = before.shaped;
    return `BEGIN;\n  ${body};\nROLLBACK;`;
  }

  private integer(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }

  private chance(of: number): boolean {
    return this.random() < of;
  }

  private oneOf<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)]!;
  }

  private name(kind: string): string {
    return `${this.prefix}_${kind}${++this.names}`;
  }

  private nested(): string {
    const statement = this.change();
    if (this.chance(0.05)) return `SAVEPOINT s; ${statement}; ROLLBACK TO s`;
    return this.chance(0.1) ? `SAVEPOINT s; ${statement}; RELEASE s` : statement;
  }

  /** A change of rows. */
  private change(): string {
    const table = this.oneOf(this.tables);
    const { name, columns } = table;
    const id = this.integer(1, KEYS);
    const other = this.integer(1, KEYS);
    const chosen = columns.filter(() => this.chance(0.4));
    const some = this.set(chosen.length > 0 ? chosen : columns.slice(0, 1));
    const large = this.set([columns.find(({ type }) => type === LARGE) ?? columns[0]!]);
    const kinds: (() => string)[] = [
      () => this.insert(table, id, id),
      () => this.insert(table, id, id + this.integer(1, 20)),
      () => this.insert(table, id, id, some),
      () => `UPDATE ${name} SET ${some} WHERE id = ${id}`,
      () => `UPDATE ${name} SET ${some} WHERE id BETWEEN ${id} AND ${id + this.integer(1, 30)}`,
      () => `UPDATE ${name} SET ${large} WHERE id = ${id}`,
      () => `UPDATE ${name} SET ${some} WHERE id IN (${id}, ${id + 1000})`,
      () => this.move(table, id, id + 1000),
      () => this.move(table, id + 1000, id),
      () =>
        `${this.move(table, id, id + 1000)}; UPDATE ${name} SET ${some} WHERE id = ${id + 1000}; ${this.move(table, id + 1000, id + 2000)}`,
      () =>
        `UPDATE ${name} SET id = -1 WHERE id = ${id}; UPDATE ${name} SET id = ${id} WHERE id = ${other}; UPDATE ${name} SET id = ${other} WHERE id = -1`,
      () => `DELETE FROM ${name} WHERE id IN (${id}, ${id + 1000}, ${other + 2000})`,
      () => `DELETE FROM ${name} WHERE id BETWEEN ${id} AND ${id + this.integer(1, 20)}`,
      () => `DELETE FROM ${name} WHERE id = ${id}; ${this.insert(table, id, id)}`,
    ];
    if (this.chance(1 / 100)) return this.truncate(table);
    if (this.chance(1 / 250)) return this.manyRows(table);
    return this.oneOf(kinds)();
  }

  private truncate({ name }: RandomTable): string {
    const also = this.chance(0.4) ? `, ${this.oneOf(this.tables).name}` : '';
    return `TRUNCATE ${name}${also} CASCADE`;
  }

  private manyRows(table: RandomTable): string {
    const from = 10_000;
    return [
      this.insert(table, from, from + MANY),
      `UPDATE ${table.name} SET ${this.set(table.columns.slice(0, 1))} WHERE id BETWEEN ${from} AND ${from + MANY / 2}`,
      `DELETE FROM ${table.name} WHERE id BETWEEN ${from + 100} AND ${from + MANY}`,
    ].join('; ');
  }

  /** Rows with the keys of a range; `instead` is what becomes of those that are there. */
  private insert(
    { name, kind, key, columns, parent }: RandomTable,
    from: number,
    to: number,
    instead?: string,
  ): string {
    const names = [...key, ...columns].map((column) => column.name);
    const step = this.integer(1, 100_000);
    const values = columns.map(({ type }) => this.value(type, `(g + ${step})`));
    const sub = key.length > 1 ? [`'s' || g % 3`] : [];
    const ref = parent === undefined ? '' : `, (SELECT max(id) FROM ${parent} WHERE id <= g)`;
    const into = `${name} (${names.join(', ')}${parent === undefined ? '' : ', ref'})`;
    const rows = `SELECT ${['g', ...sub, ...values].join(', ')}${ref} FROM generate_series(${from}, ${to}) g`;
    if (kind === 'keyless') return `INSERT INTO ${into} ${rows}`;
    const keys = key.map((column) => column.name).join(', ');
    const conflict = instead === undefined ? 'NOTHING' : `UPDATE SET ${instead}`;
    return `INSERT INTO ${into} ${rows} ON CONFLICT (${keys}) DO ${conflict}`;
  }

  /** The key of a row changes, unless there is one of the new key. */
  private move({ name, columns }: RandomTable, from: number, to: number): string {
    const also = this.chance(0.3) ? `, ${this.set(columns.slice(0, 1))}` : '';
    return `UPDATE ${name} SET id = ${to}${also} WHERE id = ${from} AND NOT EXISTS (SELECT FROM ${name} o WHERE o.id = ${to})`;
  }

  /** New values for columns. */
  private set(columns: readonly RandomColumn[]): string {
    const number = `${this.integer(1, 100_000)}`;
    return columns.map(({ name, type }) => `${name} = ${this.value(type, number)}`).join(', ');
  }

  private value(type: string, g: string): string {
    if (this.chance(0.1)) return 'NULL';
    return TYPES[type]!.value(g);
  }

  /** A change of a table's shape, or of which tables there are. */
  private shape(): string {
    this.shaped++;
    const table = this.oneOf(this.tables);
    const kinds: (() => string | undefined)[] = [
      () => this.addColumn(table),
      () => this.addColumn(table),
      () => this.dropColumn(table),
      () => this.renameColumn(table),
      () => this.widen(table),
      () => this.renameTable(table),
      () => (this.model.size < MOST ? this.create(this.oneOf(this.options.kinds)) : undefined),
      () => (this.model.size > LEAST ? this.drop(table) : undefined),
    ];
    return this.oneOf(kinds)() ?? this.addColumn(table);
  }

  private addColumn(table: RandomTable): string {
    const type = this.oneOf(Object.keys(TYPES).filter((name) => name !== LARGE));
    const column = { name: this.name('c'), type };
    this.model.set(table.name, { ...table, columns: [...table.columns, column] });
    const constant = TYPES[type]!.value(`${this.integer(1, 1000)}`);
    const { volatile = constant } = TYPES[type]!;
    const value = this.oneOf(['', ` DEFAULT ${constant}`, ` DEFAULT ${volatile}`]);
    return `ALTER TABLE ${table.name} ADD ${column.name} ${type}${value}`;
  }

  private dropColumn(table: RandomTable): string | undefined {
    const column = this.oneOf(table.columns);
    if (table.columns.length < 3) return undefined;
    this.model.set(table.name, { ...table, columns: table.columns.filter((other) => other !== column) });
    return `ALTER TABLE ${table.name} DROP ${column.name}`;
  }

  private renameColumn(table: RandomTable): string {
    const column = this.oneOf(table.columns);
    const renamed = { ...column, name: this.name('r') };
    this.replace(table, column, renamed);
    return `ALTER TABLE ${table.name} RENAME ${column.name} TO ${renamed.name}`;
  }

  private widen(table: RandomTable): string | undefined {
    const column = table.columns.find(({ type }) => TYPES[type]!.wider !== undefined);
    if (column === undefined) return undefined;
    const type = TYPES[column.type]!.wider!;
    this.replace(table, column, { ...column, type });
    return `ALTER TABLE ${table.name} ALTER ${column.name} TYPE ${type}`;
  }

  private replace(table: RandomTable, column: RandomColumn, by: RandomColumn): void {
    const columns = table.columns.map((other) => (other === column ? by : other));
    this.model.set(table.name, { ...table, columns });
  }

  private renameTable(table: RandomTable): string {
    const name = this.name(table.kind);
    this.model.delete(table.name);
    this.model.set(name, { ...table, name });
    for (const child of this.tables)
      if (child.parent === table.name) this.model.set(child.name, { ...child, parent: name });
    return `ALTER TABLE ${table.name} RENAME TO ${name}`;
  }

  private drop(table: RandomTable): string {
    this.model.delete(table.name);
    for (const child of this.tables) {
      if (child.parent !== table.name) continue;
      const { parent: _, ...orphan } = child;
      this.model.set(child.name, orphan);
    }
    return `DROP TABLE ${table.name} CASCADE`;
  }

  private create(kind: TableKind): string {
    const name = this.name(kind);
    const types = Object.keys(TYPES).filter((type) => type !== LARGE && this.chance(0.5));
    const columns = ['integer', LARGE, ...types].map((type) => ({ name: this.name('c'), type }));
    const key = [{ name: 'id', type: 'integer' }];
    if (kind === 'composite') key.push({ name: 'sub', type: 'text' });
    const parent = kind === 'child' ? this.tables.find((table) => table.kind === 'plain')?.name : undefined;
    const table: RandomTable = { name, kind, key, columns, ...(parent !== undefined && { parent }) };
    this.model.set(name, table);
    const of = [...key, ...columns].map((column) => `${column.name} ${column.type.replace(LARGE, 'text')}`);
    if (kind === 'child')
      of.push(
        `ref integer${parent === undefined ? '' : ` REFERENCES ${parent} ON DELETE CASCADE ON UPDATE CASCADE`}`,
      );
    if (kind === 'indexed') of[0] += ' NOT NULL';
    else if (kind !== 'keyless') of.push(`PRIMARY KEY (${key.map((column) => column.name).join(', ')})`);
    const large = columns.find(({ type }) => type === LARGE)!.name;
    const made = [
      `CREATE TABLE ${name} (${of.join(', ')})${kind === 'partitioned' ? ' PARTITION BY RANGE (id)' : ''}`,
    ];
    if (kind === 'partitioned')
      for (const [i, bounds] of ['MINVALUE) TO (100', '100) TO (1000', '1000) TO (MAXVALUE'].entries())
        made.push(`CREATE TABLE ${name}_part${i} PARTITION OF ${name} FOR VALUES FROM (${bounds})`);
    made.push(`ALTER TABLE ${name} ALTER ${large} SET STORAGE EXTERNAL`);
    if (kind === 'whole' || kind === 'keyless') made.push(`ALTER TABLE ${name} REPLICA IDENTITY FULL`);
    if (kind === 'indexed')
      made.push(
        `CREATE UNIQUE INDEX ${name}_id ON ${name} (id)`,
        `ALTER TABLE ${name} REPLICA IDENTITY USING INDEX ${name}_id`,
      );
    return [...made, this.insert(table, 1, this.integer(0, KEYS))].join('; ');
  }
}
