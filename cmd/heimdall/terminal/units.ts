const SIZES = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Bytes in three digits or so: `512 KB`, `1.5 GB` (1 KB = 1024 bytes); a dash for undefined. */
export function sizeText(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < SIZES.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value < 10 && unit > 0 ? value.toFixed(1) : value.toFixed(0)} ${SIZES[unit]}`;
}

/** A length of time in its two largest units at most: `850ms`, `12s`, `3m20s`, `5h2m`, `3d4h`. */
export function timeText(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.max(0, Math.floor(milliseconds))}ms`;
  const seconds = Math.floor(milliseconds / 1_000);
  const [d, h, m, s] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  if (d > 0) return `${d}d${h}h`;
  if (h > 0) return `${h}h${m}m`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}

/** How long ago a time in ISO 8601 was; a dash for null. @param now - epoch milliseconds. */
export function ageText(at: string | null, now: number): string {
  return at === null ? '-' : timeText(Math.max(0, now - Date.parse(at)));
}

/** A time in ISO 8601 as this machine's clocks show it: `20:11:05`, with the day when that is not today. */
export function clockText(at: string, now: number): string {
  const [time, today] = [new Date(at), new Date(now)];
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  if (time.toDateString() === today.toDateString()) return clock;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}
