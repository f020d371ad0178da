/** `.000` to `.999`, and what is short of one. */
const THOUSANDTHS = Array.from({ length: 1_000 }, (_, n) => `.${String(n).padStart(3, '0')}`);
const BELOW_ONE = THOUSANDTHS.map((rest, n) => (n === 0 ? '0' : `0${rest}`));
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Milliseconds with three decimals, or as a whole number when there is nothing behind the point. */
export function decimal(milliseconds: number): string {
  const thousandths = Math.round(milliseconds * 1_000);
  if (thousandths < 1_000) return BELOW_ONE[Math.max(thousandths, 0)] ?? '0';
  const rest = thousandths % 1_000;
  const whole = String((thousandths - rest) / 1_000);
  return rest === 0 ? whole : whole + (THOUSANDTHS[rest] ?? '');
}

/** Writes times of one kind; the text of the last second is kept, as most requests come in the one that the request before came in. */
export class Timestamps {
  readonly #format: (second: Date) => string;
  /** For each millisecond of a second; null: they are not told. */
  readonly #tails: readonly string[] | null;
  #second = Number.NaN;
  #text = '';

  /**
   * @param format - writes a whole second.
   * @param tail - what follows the milliseconds; null: they are not told.
   */
  constructor(format: (second: Date) => string, tail: string | null) {
    this.#format = format;
    this.#tails = tail === null ? null : THOUSANDTHS.map((rest) => rest + tail);
  }

  /** @param at - epoch milliseconds. */
  of(at: number): string {
    const second = Math.floor(at / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = this.#format(new Date(second * 1_000));
    }
    return this.#tails === null ? this.#text : this.#text + (this.#tails[Math.floor(at) - second * 1_000] ?? '');
  }
}

/** `2026-11-22T05:04:03.021Z`. */
export function isoTimestamps(): Timestamps {
  return new Timestamps((second) => second.toISOString().slice(0, 19), 'Z');
}

/** `22/Nov/2026:05:04:03 +0000`, as in the common log format. */
export function commonTimestamps(): Timestamps {
  return new Timestamps((second) => {
    const date = `${two(second.getUTCDate())}/${MONTHS[second.getUTCMonth()]}/${second.getUTCFullYear()}`;
    return `${date}:${second.toISOString().slice(11, 19)} +0000`;
  }, null);
}

/** `05:04:03.021` by the clock on the wall. */
export function localTimestamps(): Timestamps {
  return new Timestamps((second) => {
    return [second.getHours(), second.getMinutes(), second.getSeconds()].map(two).join(':');
  }, '');
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
