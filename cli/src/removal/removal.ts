/** Removing what cannot be brought back: its steps are shown first, and confirmed where somebody can be asked. */
import { existsSync } from 'node:fs';
import { type Cleaned, type Ledger, MemoryLedger, openSqliteLedger } from '@sluice/core';
import { UsageProblem } from '../arguments/usage-problem.js';
import type { CommandInput } from '../commands/command.js';
import { terminalQuestions } from '../init/questions.js';
import type { OutStream } from '../output/out-stream.js';
import type { Output } from '../output/output.js';

export interface Removal {
  /** Of the command: `clean`. */
  readonly command: string;
  /** What is asked before. */
  readonly question: string;
  /** The steps, which are taken where `certain`. */
  work(certain: boolean): Promise<readonly Cleaned[]>;
}

/** Throws where nobody can be asked and neither --yes nor --dry-run was given. */
export function checkConsent(command: string, input: CommandInput, output: Output): void {
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (asks(input) && (output.json || !isTerminal)) {
    throw new UsageProblem(
      `without a terminal nobody can be asked: \`sluice ${command}\` needs --yes or --dry-run`,
    );
  }
}

/** The steps that were taken, or would be with --dry-run; undefined where that was not wanted. */
export async function remove(
  { command, question, work }: Removal,
  input: CommandInput,
  output: Output,
): Promise<readonly Cleaned[] | undefined> {
  if (asks(input)) {
    show(await work(false), output.stdout);
    if (!(await isConfirmed(command, question))) return undefined;
  }
  const done = await work(!input.flag('dry-run'));
  if (!asks(input) && !output.json) show(done, output.stdout);
  return done;
}

/** A job that has no ledger is not made one. */
export function ledgerIfThere(path: string): Promise<Ledger> | Ledger {
  return existsSync(path) ? openSqliteLedger(path) : new MemoryLedger();
}

export function stepsOf(removed: readonly Cleaned[]): number {
  return removed.reduce((sum, { steps }) => sum + (steps?.length ?? 0), 0);
}

function asks(input: CommandInput): boolean {
  return !input.flag('dry-run') && !input.flag('yes');
}

function show(removed: readonly Cleaned[], stdout: OutStream): void {
  for (const { connection, name, steps } of removed) {
    const said =
      steps === undefined ? 'leaves nothing of its own' : steps.length === 0 ? 'is clean' : undefined;
    stdout.line(`${connection}, as ${name}${said === undefined ? ':' : ` ${said}`}`);
    for (const step of steps ?? []) stdout.line(`  ${step}`);
  }
}

async function isConfirmed(command: string, question: string): Promise<boolean> {
  const questions = terminalQuestions(command);
  try {
    const answer = await questions.ask({ text: `${question} y or n`, proposal: 'n' });
    return /^y(es)?$/i.test(answer);
  } finally {
    questions.close();
  }
}
