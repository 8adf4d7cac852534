// What a run that requires everything (`SLUICE_TEST_REQUIRE=all`) must be able to start.

/** The servers, readers and tools whose absence fails such a run instead of skipping tests. */
export const requiredServers: readonly string[] = [
  'postgres-15',
  'postgres-16',
  'postgres-18',
  'python-readers',
  'promtool',
  'pgbouncer',
  'small-disk',
];

/** Whether this run must not go on without the named server. */
export function isRequired(name: string): boolean {
  return process.env['SLUICE_TEST_REQUIRE'] === 'all' && requiredServers.includes(name);
}
