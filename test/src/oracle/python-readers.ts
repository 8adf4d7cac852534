// DuckDB and Arrow as other people's software, in Python: readers that share no code with ours.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../servers/cache.js';
import { CommandFailed, runCommand } from '../servers/command.js';
import { ServerUnavailable } from '../servers/server-unavailable.js';
import { skipUnless } from '../servers/skip-unless.js';

const packages = ['duckdb==1.5.6', 'pyarrow==26.0.1'];

/**
 * The Python that has the readers; they are installed into the cache on first use.
 * @throws ServerUnavailable when Python or the packages cannot be had
 */
export async function pythonWithReaders(): Promise<string> {
  const name = `python-${packages.join('-').replaceAll('==', '-')}`;
  const folder = await cached(name, async (making) => {
    try {
      await runCommand('python3', ['-m', 'venv', making]);
      const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--only-binary', ':all:', ...packages];
      await runCommand(join(making, 'bin', 'python'), pip);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      throw new ServerUnavailable(`Python cannot be given ${packages.join(' and ')} (${error.message})`);
    }
  });
  const python = join(folder, 'bin', 'python');
  if (!existsSync(python)) throw new ServerUnavailable(`${folder} holds no Python; remove it and try again`);
  return python;
}

/** To be called inside `describe`: skips its tests with the reason where the Python readers cannot be had. */
export function needsPythonReaders(): void {
  skipUnless('python-readers', async () => {
    await pythonWithReaders();
  });
}
