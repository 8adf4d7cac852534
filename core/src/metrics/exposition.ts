/** Prometheus' text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
import type { MetricFamily } from './metric-families.js';

/** The media type of {@link exposition}'s text. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A value, and those of the family's labels in their order. */
export interface Sample {
  readonly labels: readonly string[];
  readonly value: number;
}

/** The families as text; those without samples are left out. */
export function exposition(
  families: Iterable<{ readonly family: MetricFamily; readonly samples: readonly Sample[] }>,
): string {
  let text = '';
  for (const { family, samples } of families) {
    if (samples.length === 0) continue;
    const { name, help, type } = family;
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const { labels, value } of samples) {
      const pairs = family.labels.map((label, i) => `${label}="${escapeLabel(labels[i]!)}"`);
      text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}\n`;
    }
  }
  return text;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
