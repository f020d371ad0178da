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

/** The same, each between two texts. */
export function decimalsBetween(before: string, after: string): (milliseconds: number) => string {
  const belowOne = BELOW_ONE.map((text) => before + text + after);
  return (milliseconds) => {
    const thousandths = Math.max(Math.round(milliseconds * 1_000), 0);
    return belowOne[thousandths] ?? before + decimal(milliseconds) + after;
  };
}

/** Writes times of one kind; the text of the last one is kept, as most requests come in the millisecond, or the second, of the one before. */
export class Timestamps {
  readonly #format: (second: Date) => string;
  readonly #before: string;
  /** For each millisecond of a second, with what follows; of one text alone, where milliseconds are not told. */
  readonly #tails: readonly string[];
  #millisecond = Number.NaN;
  #second = Number.NaN;
  #secondText = '';
  #text = '';

  /**
   * @param format - writes a whole second.
   * @param around - goes before it, and after it; `hasMilliseconds`: after those.
   */
  constructor(
    format: (second: Date) => string,
    { before, after, hasMilliseconds }: { before: string; after: string; hasMilliseconds: boolean },
  ) {
    this.#format = format;
    this.#before = before;
    this.#tails = hasMilliseconds ? THOUSANDTHS.map((rest) => rest + after) : [after];
  }

  /** @param at - epoch milliseconds. */
  of(at: number): string {
    const millisecond = Math.floor(at);
    if (millisecond !== this.#millisecond) this.#turnTo(millisecond);
    return this.#text;
  }

  #turnTo(millisecond: number): void {
    this.#millisecond = millisecond;
    const second = Math.floor(millisecond / 1_000);
    const isSame = second === this.#second;
    if (isSame && this.#tails.length === 1) return;
    if (!isSame) this.#secondText = this.#before + this.#format(new Date(second * 1_000));
    this.#second = second;
    this.#text = this.#secondText + (this.#tails[(millisecond - second * 1_000) % this.#tails.length] ?? '');
  }
}

/** `2026-11-22T05:04:03.021Z`. @param before - goes before it, as `after` after it. */
export function isoTimestamps(before = '', after = ''): Timestamps {
  const around = { before, after: `Z${after}`, hasMilliseconds: true };
  return new Timestamps((second) => second.toISOString().slice(0, 19), around);
}

/** `22/Nov/2026:05:04:03 +0000`, as in the common log format. */
export function commonTimestamps(before = ''): Timestamps {
  return new Timestamps(
    (second) => {
      const date = `${two(second.getUTCDate())}/${MONTHS[second.getUTCMonth()]}/${second.getUTCFullYear()}`;
      return `${date}:${second.toISOString().slice(11, 19)} +0000`;
    },
    { before, after: '', hasMilliseconds: false },
  );
}

/** `05:04:03.021` by the clock on the wall. */
export function localTimestamps(before = ''): Timestamps {
  return new Timestamps((second) => [second.getHours(), second.getMinutes(), second.getSeconds()].map(two).join(':'), {
    before,
    after: '',
    hasMilliseconds: true,
  });
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
