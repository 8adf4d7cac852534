import { describe, expect, it } from 'vitest';
import type { PlanDescription } from './describe-plan.js';
import { mermaidLines } from './mermaid-lines.js';

function plan(stream: string, target = stream): PlanDescription {
  const way = { stream, read: 'full', target, write: 'replace', guarantee: 'exactly once' };
  const flow = {
    flow: 'main',
    source: { connection: 'shop', connector: 'postgres' },
    sinks: [
      { sink: 'lake', connection: 'lake', connector: 'duckdb' },
      { sink: 'files', connection: 'disk', connector: 'file' },
    ],
    detached: [{ sink: 'crm', code: 'SLUICE-PG-0001', message: 'gone' }],
    quarantined: [{ stream: 'bad', code: 'SLUICE-PG-0017', message: 'refused' }],
    streams: [
      { ...way, sink: 'lake', transforms: ['filter', 'mask'] },
      { ...way, sink: 'files', transforms: [] },
      { ...way, stream: 'other', sink: 'files', transforms: [] },
    ],
  };
  return { job: 'shop', flows: [flow] } as unknown as PlanDescription;
}

/** The part of Mermaid's grammar for flowcharts that we use; anything else is an error. */
const LABEL = '"((?:[^"#;\\n<>`&\\\\]|#\\d+;)+)"';
const NODE = new RegExp(`^(\\w+)(?:\\[${LABEL}\\]|\\[\\(${LABEL}\\)\\]|\\{\\{${LABEL}\\}\\})$`);
const SUBGRAPH = new RegExp(`^subgraph (\\w+)\\[${LABEL}\\]$`);
const EDGE = new RegExp(`^(\\w+) (?:-->|-\\.->)(?:\\|${LABEL}\\|)? (\\w+)$`);

function parse(lines: readonly string[]) {
  expect(lines.slice(0, 4)).toEqual(['---', expect.stringMatching(/^title: ".*"$/), '---', 'flowchart LR']);
  const nodes = new Map<string, string>();
  const edges: { from: string; text: string | undefined; to: string }[] = [];
  const open: string[] = [];
  const decode = (text: string) =>
    text.replace(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
  for (const line of lines.slice(4).map((text) => text.trim())) {
    const subgraph = SUBGRAPH.exec(line);
    const node = NODE.exec(line);
    const edge = EDGE.exec(line);
    if (subgraph) open.push(subgraph[1]!);
    else if (line === 'end') expect(open.pop()).toBeDefined();
    else if (node) {
      expect(nodes.has(node[1]!), `${node[1]} is declared once`).toBe(false);
      nodes.set(node[1]!, decode(node[2] ?? node[3] ?? node[4] ?? ''));
    } else if (edge) edges.push({ from: edge[1]!, text: edge[2], to: edge[3]! });
    else throw new Error(`no Mermaid: ${line}`);
  }
  expect(open).toEqual([]);
  for (const { from, to } of edges) expect([nodes.has(from), nodes.has(to)]).toEqual([true, true]);
  return edges.map(({ from, text, to }) => [nodes.get(from), text, nodes.get(to)]);
}

describe('a plan as a flowchart', () => {
  it('leads from the source through streams and transforms to every target', () => {
    expect(parse(mermaidLines(plan('orders', 'lake.orders')))).toEqual([
      ['shop: postgres', 'full', 'orders'],
      ['shop: postgres', 'full', 'other'],
      ['orders', undefined, 'filter'],
      ['filter', undefined, 'mask'],
      ['mask', 'replace, exactly once', 'lake.orders'],
      ['orders', 'replace, exactly once', 'lake.orders'],
      ['other', 'replace, exactly once', 'lake.orders'],
      ['shop: postgres', undefined, 'crm: detached (SLUICE-PG-0001)'],
      ['shop: postgres', undefined, 'bad: quarantined (SLUICE-PG-0017)'],
    ]);
  });

  it.each([
    ['quotes and brackets', 'a"]b[("x")]'],
    ['entities and comments', '#quot; %% <b>&amp;'],
    ['markdown and lines', '`**x**`\nend\r\nclick a'],
    ['words of the language', 'end'],
    ['letters of any script', 'größe.注文.😀'],
    ['nothing but a space', ' '],
  ])('keeps names with %s as labels', (_, name) => {
    const ways = parse(mermaidLines(plan(name)));
    expect(ways[0]).toEqual(['shop: postgres', 'full', name]);
    expect(ways[4]).toEqual(['mask', 'replace, exactly once', name]);
  });
});
