/** The systems of a flow: can each be reached, and does it let the flow do what it is going to do? */
import {
  discoveryPatterns,
  type JobFlow,
  openSink,
  openSource,
  streamsRead,
  targetsWritten,
} from '@sluice/core';
import { type CatalogStream, type Context, type Finding, failure, toSluiceError } from '@sluice/sdk';
import type { OpenJob } from '../job/open-job.js';
import type { Section } from './section.js';

export async function examineFlow(open: OpenJob, flow: JobFlow, c: Context): Promise<Section[]> {
  const { job, registry } = open;
  const { connection } = flow;
  let found: readonly CatalogStream[] = [];
  const source = await findingsOf(async (findings) => {
    const { side } = await openSource(job, connection, registry);
    try {
      await side.check(c);
      findings.push({ level: 'ok', what: 'can be reached' });
      found = (await side.discover(discoveryPatterns(flow), c)).streams;
      findings.push(...((await side.diagnose?.(streamsRead(flow, found), c)) ?? []));
    } finally {
      await side.close?.();
    }
  });
  const about = { connection: connection.name, connector: connection.connector, flow: flow.name };
  const sections: Section[] = [{ about: 'source', ...about, findings: source }];
  for (const sink of flow.sinks) {
    const { name, connector } = sink.connection;
    const findings = await findingsOf(async (all) => {
      const { side } = await openSink(job, sink.connection, registry);
      try {
        // What a check refuses for want of a right, a diagnosis names with the statement that grants it.
        const refused = await side.check(c).then(
          () => undefined,
          (error: unknown) => toSluiceError(error),
        );
        if (refused !== undefined && refused.class !== 'auth') throw refused;
        const targets = targetsWritten(flow, sink, found, side.capabilities);
        const diagnosed = (await side.diagnose?.(targets, c)) ?? [];
        if (refused === undefined) all.push({ level: 'ok', what: 'can be reached' });
        else if (!diagnosed.some(({ level }) => level === 'fail')) throw refused;
        all.push(...diagnosed);
      } finally {
        await side.close?.();
      }
    });
    sections.push({ about: 'sink', connection: name, connector, flow: flow.name, findings });
  }
  return sections;
}

/** What was found until something failed, and that. */
async function findingsOf(work: (findings: Finding[]) => Promise<void>): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    await work(findings);
  } catch (error) {
    findings.push(failure(toSluiceError(error)));
  }
  return findings;
}
