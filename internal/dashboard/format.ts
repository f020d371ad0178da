const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const KIB = 1_024;

/** Made once: to make it takes longer than to use it. */
const GROUPED = new Intl.NumberFormat('en');

/** What stands where nothing is known. */
export const NOTHING = '–';

/** `0`, `3.4`, `128`, `1,280`, `12.8k`, `1.3M`. */
export function countText(value: number): string {
  if (value >= 999_950) return `${(value / 1_000_000).toFixed(1)}M`;
  if (value >= 10_000) return `${(value / 1_000).toFixed(1)}k`;
  if (value === 0 || value >= 9.95 || Number.isInteger(value)) return GROUPED.format(Math.round(value));
  return value < 0.05 ? '<0.1' : value.toFixed(1);
}

/** @param share - 0 to 1; null: nothing is known. */
export function percentText(share: number | null): string {
  if (share === null) return NOTHING;
  const percent = share * 100;
  if (percent === 0) return '0 %';
  if (percent < 0.1) return '<0.1 %';
  return percent < 9.95 ? `${percent.toFixed(1)} %` : `${Math.round(percent)} %`;
}

/** A time of milliseconds in three figures. */
export function latencyText(ms: number | null): string {
  if (ms === null) return NOTHING;
  if (ms >= 9_950) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms >= 999.5) return `${(ms / SECOND).toFixed(2)} s`;
  if (ms >= 9.95) return `${Math.round(ms)} ms`;
  if (ms === 0) return '0 ms';
  return ms < 0.1 ? '<0.1 ms' : `${ms.toFixed(1)} ms`;
}

export function bytesText(bytes: number | null): string {
  if (bytes === null) return NOTHING;
  if (bytes >= 1_000 * KIB ** 2) return `${(bytes / KIB ** 3).toFixed(1)} GB`;
  if (bytes >= 1_000 * KIB) return `${Math.round(bytes / KIB ** 2)} MB`;
  return `${Math.round(bytes / KIB)} kB`;
}

/** A span of milliseconds in its two largest units: `4 s`, `2 min 5 s`, `3 h 10 min`, `5 d 2 h`. */
export function spanText(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)} s`;
  if (whole < HOUR) return twoUnits(whole, MINUTE, 'min', SECOND, 's');
  if (whole < DAY) return twoUnits(whole, HOUR, 'h', MINUTE, 'min');
  return twoUnits(whole, DAY, 'd', HOUR, 'h');
}

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

/** The time of day where the reader is. @param time - ISO 8601 or epoch milliseconds. */
export function clockText(time: string | number): string {
  return new Date(time).toLocaleTimeString('en-GB');
}

/** The time of day, and the date before it when that is not today. @param now - likewise ISO 8601. */
export function momentText(time: string, now: string): string {
  const [day, today] = [time, now].map((each) => new Date(each).toLocaleDateString('en-GB'));
  return day === today ? clockText(time) : `${day} ${clockText(time)}`;
}

/** `1 instance`, `3 instances`. */
export function plural(count: number, noun: string): string {
  return `${GROUPED.format(count)} ${noun}${count === 1 ? '' : 's'}`;
}
