// The table of a run's metrics.
import { code, table } from './markdown.mjs';

/** @param {{ readonly [key: string]: import('@sluice/core').MetricFamily }} families */
export function metricTable(families) {
  const rows = Object.values(families).map(({ name, type, help, labels }) => [
    code(name),
    type,
    labels.map(code).join(', '),
    help,
  ]);
  return table(['metric', 'type', 'labels', 'what it is'], rows);
}
