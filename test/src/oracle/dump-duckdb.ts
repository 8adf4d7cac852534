import { runCommand } from '../servers/command.js';
import { type Dump, parseDump } from './dump.js';
import { pythonWithReaders } from './python-readers.js';

/**
 * Connects, runs the query with every value cast to text by DuckDB, and writes the rows in the dumps' format.
 * Arguments: what to open, the query, and the path or pattern of Parquet files with the reader for them.
 */
const program = `
import sys
import duckdb

database, query, files, reader = sys.argv[1:5]
connection = duckdb.connect(database, read_only=database != ':memory:')
connection.execute("SET TimeZone = 'UTC'")
connection.execute('SET enable_progress_bar = false')
if reader == 'duckdb':
    connection.read_parquet(files).create_view('files')
elif reader == 'pyarrow':
    import glob
    import pyarrow.dataset
    found = sorted(path for path in glob.glob(files, recursive=True))
    if not found:
        sys.exit('no file matches ' + files)
    connection.register('files', pyarrow.dataset.dataset(found, format='parquet', partitioning=None).to_table())
names = [column[0] for column in connection.execute('SELECT * FROM (' + query + '\\n) LIMIT 0').description]
quote = lambda text: '"' + text.replace('"', '""') + '"'
out = open(sys.stdout.fileno(), 'w', encoding='utf-8', newline='\\n')
needed = lambda name: quote(name) if any(each in name for each in '",\\r\\n') else name
out.write(','.join(map(needed, names)) + '\\n')
rows = connection.execute('SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (' + query + '\\n)')
while batch := rows.fetchmany(10000):
    for row in batch:
        out.write(','.join('' if value is None else quote(value) for value in row) + '\\n')
out.flush()
`;

async function runDump(
  args: [database: string, query: string, files: string, reader: string],
): Promise<Dump> {
  const python = await pythonWithReaders();
  return parseDump(await runCommand(python, ['-c', program, ...args]));
}

const withoutEnd = (query: string): string => query.trim().replace(/;$/, '');

/**
 * Reads rows from a DuckDB file with DuckDB's Python package. The file must not be open elsewhere.
 * @param path of the database file
 * @param query one SELECT in DuckDB's SQL, with an `ORDER BY` if the order matters
 * @throws ServerUnavailable when Python or the package cannot be had
 */
export function dumpDuckdb(path: string, query: string): Promise<Dump> {
  return runDump([path, withoutEnd(query), '', '']);
}

/**
 * Reads Parquet files with Apache Arrow's reader, or with DuckDB's.
 * @param files a path, or a pattern with `*` and `**`
 * @param query one SELECT in DuckDB's SQL over the table `files`
 * @param reader which of the two independent readers decodes the files
 * @throws ServerUnavailable when Python or the packages cannot be had
 */
export function dumpParquet(
  files: string,
  query = 'SELECT * FROM files',
  reader: 'pyarrow' | 'duckdb' = 'pyarrow',
): Promise<Dump> {
  return runDump([':memory:', withoutEnd(query), files, reader]);
}
