/** Questions to the person at the terminal. */
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { UsageProblem } from '../arguments/usage-problem.js';
import { visible } from '../output/cells.js';

/** What is to be known. */
export interface Question {
  readonly text: string;
  /** What an empty answer means; without it an answer is required. */
  readonly proposal?: string;
  /** Whether the answer is not to be shown while it is typed. */
  readonly secret?: boolean;
  /** Why an answer cannot be taken; undefined when it can. */
  refuse?(answer: string): string | undefined;
}

/** Where answers come from. */
export interface Questions {
  ask(question: Question): Promise<string>;
  close(): void;
}

/** For a command: asks on standard error, so that standard output stays for what comes of it. */
export function terminalQuestions(command: string): Questions {
  let muted = false;
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (!muted) process.stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  // A terminal's lines are kept, so that nothing is lost of what is typed ahead.
  const typed = lines[Symbol.asyncIterator]();
  lines.on('SIGINT', () => {
    process.stderr.write('\n');
    process.exit(128 + constants.signals.SIGINT);
  });
  const once = async ({ text, proposal, secret }: Question): Promise<string> => {
    lines.setPrompt(proposal === undefined ? `${text}: ` : `${text} [${visible(proposal)}]: `);
    lines.prompt();
    // The question itself has been written by now.
    muted = secret === true;
    const { done, value } = await typed.next();
    if (muted) process.stderr.write('\n');
    muted = false;
    if (done === true)
      throw new UsageProblem('the questions were not answered to the end', undefined, command);
    return value.trim() || (proposal ?? '');
  };
  return {
    async ask(question) {
      for (;;) {
        const answer = await once(question);
        const reason = answer === '' ? 'An answer is needed.' : question.refuse?.(answer);
        if (reason === undefined) return answer;
        process.stderr.write(`  ${visible(reason)}\n`);
      }
    },
    close: () => lines.close(),
  };
}

/** For programs: proposals are taken, and what has none must have been given. */
export function givenAnswers(): Questions {
  return {
    async ask({ text, proposal, refuse }) {
      if (proposal === undefined) {
        throw new UsageProblem(
          `without a terminal nobody can be asked: "${text}" must be given as an argument or option`,
          undefined,
          'init',
        );
      }
      const reason = refuse?.(proposal);
      if (reason !== undefined) throw new UsageProblem(reason, undefined, 'init');
      return proposal;
    },
    close() {},
  };
}
