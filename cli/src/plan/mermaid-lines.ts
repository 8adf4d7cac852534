/** A plan as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html): streams, transforms and targets. */
import type { FlowDescription, PlanDescription, StreamDescription } from './describe-plan.js';

/** One line a node or an edge; what is in a name cannot end its label. */
export function mermaidLines({ job, flows }: PlanDescription): string[] {
  const charts = flows.flatMap((flow, i) => flowLines(flow, `flow${i + 1}`));
  return ['---', `title: ${JSON.stringify(`job ${job}`)}`, '---', 'flowchart LR', ...indented(charts)];
}

function flowLines(flow: FlowDescription, id: string): string[] {
  const { source, sinks, detached, quarantined, streams } = flow;
  const names = [...new Set(streams.map(({ stream }) => stream))];
  const streamId = (stream: string) => `${id}_stream${names.indexOf(stream) + 1}`;
  const first = (name: string) => streams.find(({ stream }) => stream === name)!;
  return [
    `subgraph ${id}[${label(`flow ${flow.flow}`)}]`,
    ...indented([
      `${id}_source[(${label(`${source.connection}: ${source.connector}`)})]`,
      ...names.flatMap((name) => [
        `${streamId(name)}[${label(name)}]`,
        `${id}_source -->|${label(first(name).read)}| ${streamId(name)}`,
      ]),
      ...sinks.flatMap(({ sink, connection, connector }, s) => {
        const own = streams.filter((stream) => stream.sink === sink);
        const targetId = (i: number) => `${id}_sink${s + 1}_target${i + 1}`;
        return [
          `subgraph ${id}_sink${s + 1}[${label(`${sink}: ${named(connection, sink)}${connector}`)}]`,
          ...indented(own.map(({ target }, i) => `${targetId(i)}[(${label(target)})]`)),
          'end',
          ...own.flatMap((stream, i) => wayLines(stream, streamId(stream.stream), targetId(i))),
        ];
      }),
      ...detached.flatMap(({ sink, code }, i) => [
        `${id}_detached${i + 1}[${label(`${sink}: detached (${code})`)}]`,
        `${id}_source -.-> ${id}_detached${i + 1}`,
      ]),
      ...quarantined.flatMap(({ stream, code }, i) => [
        `${id}_quarantined${i + 1}[${label(`${stream}: quarantined (${code})`)}]`,
        `${id}_source -.-> ${id}_quarantined${i + 1}`,
      ]),
    ]),
    'end',
  ];
}

/** A sink is often called like its connection. */
function named(connection: string, sink: string): string {
  return connection === sink ? '' : `${connection}, `;
}

/** From a stream through its transforms to one target. */
function wayLines(stream: StreamDescription, from: string, to: string): string[] {
  const lines: string[] = [];
  let at = from;
  for (const [i, transform] of stream.transforms.entries()) {
    const step = `${to}_step${i + 1}`;
    lines.push(`${step}{{${label(transform)}}}`, `${at} --> ${step}`);
    at = step;
  }
  return [...lines, `${at} -->|${label(`${stream.write}, ${stream.guarantee}`)}| ${to}`];
}

/** A quoted label, which must not be empty. What Mermaid could read as its own stands as its character's number. */
function label(text: string): string {
  const safe = text.replace(/[^\p{L}\p{M}\p{N} _.,:()-]/gu, (character) => `#${character.codePointAt(0)};`);
  return `"${safe || ' '}"`;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
