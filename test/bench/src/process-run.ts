/** Runs a command as a whole process and measures it from outside. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Measured {
  readonly seconds: number;
  /** Highest resident memory of the largest process of the command, in MiB; 0 where the system does not tell. */
  readonly peakMiB: number;
  readonly stdout: string;
}

export interface Command {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: { readonly [name: string]: string };
  readonly cwd?: string;
}

/** A pipeline or other line for the shell, which fails when any part of it fails. */
export function shell(name: string, line: string): Command {
  return { name, file: '/bin/bash', args: ['-o', 'pipefail', '-ec', line] };
}

const SAMPLE_MS = 20;

/** Runs to the end; rejects when the exit code is not 0. */
export async function measure(command: Command): Promise<Measured> {
  const started = process.hrtime.bigint();
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...command.env },
    ...(command.cwd !== undefined && { cwd: command.cwd }),
  });
  let peakKiB = 0;
  const sampler = setInterval(() => {
    peakKiB = Math.max(peakKiB, highWater(child.pid));
  }, SAMPLE_MS);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit, signal) => resolve(exit ?? signal ?? 'unknown'));
  });
  clearInterval(sampler);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const out = Buffer.concat(stdout).toString();
  if (code !== 0) {
    throw new Error(
      `${command.name} ended with ${code}\n${out.slice(-2000)}\n${Buffer.concat(stderr).toString().slice(-2000)}`,
    );
  }
  return { seconds, peakMiB: peakKiB / 1024, stdout: out };
}

/** The kernel's own high-water mark of a process, in KiB; it only rises, so sampling near the end loses little. */
function highWater(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
