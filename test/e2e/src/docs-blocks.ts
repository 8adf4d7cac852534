/**
 * Pages whose commands are executed. In Markdown, the word behind a fence's language says what a block is:
 *
 * - `sh run`: run by bash in the page's folder, must succeed; `sh exit=75`: must end so;
 * - `<any> file=<path>`: written to that file;
 * - `text output`: what the block before it printed, on stdout and stderr together. Lines must occur in this order,
 *   spaces do not count, and `…` stands for anything.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type DocsBlock =
  | { readonly kind: 'command'; readonly line: number; readonly text: string; readonly exit: number }
  | { readonly kind: 'file'; readonly line: number; readonly text: string; readonly path: string }
  | { readonly kind: 'output'; readonly line: number; readonly text: string };

const FENCE = /^```(\w+) (run|output|exit=(\d+)|file=(\S+))[ ]*\n([\s\S]*?)^```[ ]*$/gm;

/** The blocks of a page that mean something to a machine, in order. */
export function docsBlocks(page: string): DocsBlock[] {
  return [...page.matchAll(FENCE)].map((match): DocsBlock => {
    const [, , mark, exit, path, text = ''] = match;
    const line = page.slice(0, match.index).split('\n').length;
    if (path !== undefined) return { kind: 'file', line, text, path };
    return mark === 'output'
      ? { kind: 'output', line, text }
      : { kind: 'command', line, text, exit: Number(exit ?? 0) };
  });
}

/** Executes the blocks in `folder` with `env`. Throws at the first that does not do what the page says. */
export function runDocs(blocks: readonly DocsBlock[], folder: string, env: NodeJS.ProcessEnv): void {
  let printed = '';
  for (const block of blocks) {
    if (block.kind === 'file') {
      mkdirSync(dirname(join(folder, block.path)), { recursive: true });
      writeFileSync(join(folder, block.path), block.text);
    } else if (block.kind === 'command') {
      printed = execute(block, folder, env);
    } else {
      const missing = firstMissing(block.text, printed);
      if (missing !== undefined) {
        throw new Error(`line ${block.line}: the output has no line like\n  ${missing}\nIt is:\n${printed}`);
      }
    }
  }
}

function execute(block: DocsBlock & { kind: 'command' }, folder: string, env: NodeJS.ProcessEnv): string {
  const script = `exec 2>&1\nset -eo pipefail\n${block.text}`;
  const { status, signal, stdout } = spawnSync('bash', ['-c', script], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (status !== block.exit) {
    throw new Error(
      `line ${block.line}: ended with ${status ?? signal}, not ${block.exit}\n${block.text}\n${stdout}`,
    );
  }
  return stdout;
}

/** The first expected line that the output does not have behind the ones before it. */
export function firstMissing(expected: string, actual: string): string | undefined {
  const lines = actual.split('\n').map(squeeze);
  let next = 0;
  for (const line of expected.split('\n').filter((text) => text.trim() !== '')) {
    const parts = squeeze(line)
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`^${parts.join('.*')}$`);
    const at = lines.findIndex((text, i) => i >= next && pattern.test(text));
    if (at < 0) return line;
    next = at + 1;
  }
  return undefined;
}

function squeeze(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
