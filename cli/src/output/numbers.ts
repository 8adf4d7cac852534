/** Numbers for people. */

const grouped = new Intl.NumberFormat('en-US');

/** `1,204,000` */
export function formatCount(count: number): string {
  return grouped.format(Math.round(count));
}

/** `1.2M`, at most five characters */
export function formatShort(count: number): string {
  let rest = count;
  for (const unit of ['', 'k', 'M', 'G']) {
    if (rest < 999.5) return `${unit === '' || rest >= 99.95 ? Math.round(rest) : rest.toFixed(1)}${unit}`;
    rest /= 1000;
  }
  return `${Math.round(rest)}T`;
}

/** `1 row`, `2 rows` */
export function plural(count: number, word: string): string {
  return `${formatCount(count)} ${word}${count === 1 ? '' : 's'}`;
}

/** `12.3 MB`, in powers of ten */
export function formatBytes(bytes: number): string {
  let rest = bytes;
  for (const unit of ['B', 'kB', 'MB', 'GB', 'TB']) {
    if (rest < 999.5) return `${unit === 'B' || rest >= 99.95 ? Math.round(rest) : rest.toFixed(1)} ${unit}`;
    rest /= 1000;
  }
  return `${Math.round(rest)} PB`;
}

/** `840 ms`, `12.4 s`, `3 min 20 s`, `2 h 5 min` */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
