import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cgroupMemoryLimit } from './cgroup-limit.js';

const MiB = 1 << 20;
const V1_NO_LIMIT = '9223372036854771712';
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-cgroup-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Files of a machine, as the kernel shows them; limits by their path. */
function machine(files: { readonly [path: string]: string | number }): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
}

const V2_MOUNT = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';
const V1_MOUNT = '36 32 0:31 / /sys/fs/cgroup/memory rw,nosuid shared:16 - cgroup cgroup rw,memory';
const OTHER_MOUNTS = [
  '22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw',
  '35 32 0:30 / /sys/fs/cgroup/cpu rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct',
].join('\n');

describe('version 2', () => {
  it('takes the least limit of the group and all around it', () => {
    machine({
      'proc/self/mountinfo': `${OTHER_MOUNTS}\n${V2_MOUNT}`,
      'proc/self/cgroup': '0::/kubepods/pod1/box',
      'sys/fs/cgroup/kubepods/memory.max': 300 * MiB,
      'sys/fs/cgroup/kubepods/pod1/memory.max': 200 * MiB,
      'sys/fs/cgroup/kubepods/pod1/box/memory.max': 'max',
    });
    expect(cgroupMemoryLimit(root)).toBe(200 * MiB);
  });

  it('knows the limit that slows down', () => {
    machine({
      'proc/self/mountinfo': V2_MOUNT,
      'proc/self/cgroup': '0::/a',
      'sys/fs/cgroup/a/memory.max': 300 * MiB,
      'sys/fs/cgroup/a/memory.high': 250 * MiB,
    });
    expect(cgroupMemoryLimit(root)).toBe(250 * MiB);
  });

  it('finds it in a container, which sees its own group as the topmost', () => {
    machine({
      'proc/self/mountinfo': V2_MOUNT,
      'proc/self/cgroup': '0::/',
      'sys/fs/cgroup/memory.max': 128 * MiB,
    });
    expect(cgroupMemoryLimit(root)).toBe(128 * MiB);
  });

  it('sees no further than what is mounted', () => {
    machine({
      'proc/self/mountinfo': V2_MOUNT,
      'proc/self/cgroup': '0::/../../elsewhere',
      'sys/fs/cgroup/memory.max': 64 * MiB,
      'sys/elsewhere/memory.max': 1,
      'elsewhere/memory.max': 1,
    });
    expect(cgroupMemoryLimit(root)).toBe(64 * MiB);
  });

  it('has no limit where every group says max', () => {
    machine({
      'proc/self/mountinfo': V2_MOUNT,
      'proc/self/cgroup': '0::/a/b',
      'sys/fs/cgroup/a/memory.max': 'max',
      'sys/fs/cgroup/a/b/memory.max': 'max',
    });
    expect(cgroupMemoryLimit(root)).toBeUndefined();
  });
});

describe('version 1', () => {
  it('takes the least limit of the group and all around it', () => {
    machine({
      'proc/self/mountinfo': `${OTHER_MOUNTS}\n${V1_MOUNT}`,
      'proc/self/cgroup': '5:cpu,cpuacct:/elsewhere\n4:memory:/docker/box\n1:name=systemd:/x',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': V1_NO_LIMIT,
      'sys/fs/cgroup/memory/docker/memory.limit_in_bytes': 400 * MiB,
      'sys/fs/cgroup/memory/docker/box/memory.limit_in_bytes': 500 * MiB,
    });
    expect(cgroupMemoryLimit(root)).toBe(400 * MiB);
  });

  it('finds it where a group inside the hierarchy is mounted, at a path with blanks', () => {
    machine({
      'proc/self/mountinfo': V1_MOUNT.replace(' / /sys/fs/cgroup/memory', ' /docker/box /my\\040groups'),
      'proc/self/cgroup': '4:memory:/docker/box/inner',
      'my groups/memory.limit_in_bytes': 500 * MiB,
      'my groups/inner/memory.limit_in_bytes': 100 * MiB,
    });
    expect(cgroupMemoryLimit(root)).toBe(100 * MiB);
  });

  it('has no limit where the kernel writes its highest number', () => {
    machine({
      'proc/self/mountinfo': V1_MOUNT,
      'proc/self/cgroup': '4:memory:/',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': V1_NO_LIMIT,
    });
    expect(cgroupMemoryLimit(root)).toBeUndefined();
  });
});

it('takes the lesser where both versions are mounted', () => {
  machine({
    'proc/self/mountinfo': `${V1_MOUNT}\n${V2_MOUNT.replace('/sys/fs/cgroup', '/sys/fs/cgroup/unified')}`,
    'proc/self/cgroup': '4:memory:/a\n0::/b',
    'sys/fs/cgroup/memory/a/memory.limit_in_bytes': 90 * MiB,
    'sys/fs/cgroup/unified/b/memory.max': 80 * MiB,
  });
  expect(cgroupMemoryLimit(root)).toBe(80 * MiB);
});

it('has no limit where there are no groups', () => {
  expect(cgroupMemoryLimit(root)).toBeUndefined();
  machine({ 'proc/self/mountinfo': OTHER_MOUNTS, 'proc/self/cgroup': 'nonsense' });
  expect(cgroupMemoryLimit(root)).toBeUndefined();
  machine({ 'proc/self/mountinfo': V2_MOUNT, 'proc/self/cgroup': '0::nonsense' });
  expect(cgroupMemoryLimit(root)).toBeUndefined();
});
