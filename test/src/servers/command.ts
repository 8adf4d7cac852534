// Runs a short command to its end and returns what it printed.
import { spawn } from 'node:child_process';

/** How a command is run. */
export interface CommandOptions {
  /** Folder in which it starts; by default the current one. */
  cwd?: string;
  /** The whole environment; by default the current one. */
  env?: NodeJS.ProcessEnv;
  /** Text for its standard input; without it the input is empty. */
  input?: string;
  /** Milliseconds after which it is killed; by default ten minutes. */
  timeoutMs?: number;
}

/** Thrown by {@link runCommand} when a command cannot be started or ends with anything but 0. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';

  constructor(
    message: string,
    /** What the command wrote on standard error. */
    readonly stderr: string,
    /** The exit code, or undefined when it was not started or was killed. */
    readonly exitCode: number | undefined,
  ) {
    super(message);
  }
}

/**
 * Runs a command without a shell.
 * @returns its standard output
 * @throws CommandFailed with the end of its standard error in the message
 */
export function runCommand(command: string, args: string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: 'pipe' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 600_000);
    const fail = (what: string, code?: number): void => {
      clearTimeout(timer);
      const text = Buffer.concat(stderr).toString('utf8');
      reject(new CommandFailed(`${command} ${what}: ${text.slice(-2000).trim()}`, text, code));
    };
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error) => fail(`could not be started (${error.message})`));
    child.on('close', (code, signal) => {
      if (code !== 0)
        return fail(code === null ? `was ended by ${signal}` : `exited with ${code}`, code ?? undefined);
      clearTimeout(timer);
      resolve(Buffer.concat(stdout).toString('utf8'));
    });
    // A command that ends before it has read its input is judged by its exit code, not by the broken pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
