/** A disk that is soon full: a file system in memory of a few megabytes, which Linux lets root mount. */
import { mkdtempSync, readdirSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, runCommand } from '../servers/command.js';
import { ServerUnavailable } from '../servers/server-unavailable.js';
import { skipUnless } from '../servers/skip-unless.js';

const BALLAST = '.ballast';

export class SmallDisk {
  private constructor(
    /** Where it is mounted. */
    readonly folder: string,
  ) {}

  /** @throws ServerUnavailable where nothing can be mounted */
  static async mount(bytes: number): Promise<SmallDisk> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-small-disk-'));
    try {
      await runCommand('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
    } catch (error) {
      rmdirSync(folder);
      if (!(error instanceof CommandFailed)) throw error;
      throw new ServerUnavailable(`a file system in memory cannot be mounted (${error.message})`);
    }
    return new SmallDisk(folder);
  }

  /** Takes all space but so many bytes. */
  leave(bytes: number): void {
    rmSync(join(this.folder, BALLAST), { force: true });
    const { bavail, bsize } = statfsSync(this.folder);
    writeFileSync(join(this.folder, BALLAST), new Uint8Array(Math.max(0, bavail * bsize - bytes)));
  }

  /** Gives the space back that {@link leave} has taken. */
  free(): void {
    rmSync(join(this.folder, BALLAST), { force: true });
  }

  /** Removes everything on it. */
  empty(): void {
    for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name), { recursive: true });
  }

  /** Lets nobody write, root neither, or everybody again. */
  async setReadOnly(readOnly: boolean): Promise<void> {
    await runCommand('mount', ['-o', `remount,${readOnly ? 'ro' : 'rw'}`, this.folder]);
  }

  async unmount(): Promise<void> {
    await runCommand('umount', [this.folder]);
    rmdirSync(this.folder);
  }
}

/** To be called inside `describe`: skips its tests with the reason where a {@link SmallDisk} cannot be mounted. */
export function needsSmallDisk(): void {
  skipUnless('small-disk', async () => {
    await (await SmallDisk.mount(1 << 20)).unmount();
  });
}
