/** Jobs that are written as modules: the default export is the job, as `defineJob` passes it on. */
import { pathToFileURL } from 'node:url';
import { coreErrors } from '../errors.js';

/** Loads a module's job. TypeScript works where Node itself can run it. */
export async function importJob(path: string): Promise<unknown> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_FILE_EXTENSION') throw cannotRun(path, error);
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    throw coreErrors.jobUnreadable(`${path} could not be run: ${name}: ${message}`, { cause: error });
  }
  if (module.default === undefined) {
    throw coreErrors.jobUnreadable(`${path} exports no job`, {
      help: 'Export the job as the default: export default defineJob({ … }).',
    });
  }
  return module.default;
}

function cannotRun(path: string, cause: unknown): Error {
  return coreErrors.jobUnreadable(
    `Node ${process.versions.node} cannot run TypeScript, which ${path} is written in`,
    {
      cause,
      help: 'Use Node 22.18, 23.6 or later, or write the job as .mjs, JSON or YAML.',
    },
  );
}
