/** What comes and goes, such as clients. */
const MOST_REMEMBERED = 1_000;

/** A piece of a line that is the same again and again. */
export class RememberedText {
  #text: string;
  #uses = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** From the second time on it is in one piece of memory: that pays only for what is used more than once. */
  take(): string {
    if (this.#uses === 1) this.#text = Buffer.from(this.#text, 'latin1').toString('latin1'); // one octet for each character
    this.#uses += 1;
    return this.#text;
  }
}

/** For what is mostly the same as the time before. */
export function remembering<V extends string | number>(write: (value: V) => string): (value: V) => string {
  let before: V | null = null;
  let text = new RememberedText('');
  return (value) => {
    if (value !== before) {
      before = value;
      text = new RememberedText(write(value));
    }
    return text.take();
  };
}

/** Texts for what is one of some hundred, such as a client, and is mostly as it was when it came the last time. */
export class RecentTexts<T> {
  readonly #texts = new Map<string, { readonly of: T; readonly text: RememberedText }>();

  get(key: string): { readonly of: T; readonly text: RememberedText } | undefined {
    return this.#texts.get(key);
  }

  /** @param of - by which it is known whether the text is the same the next time. @returns the text. */
  remember(key: string, of: T, text: string): string {
    if (this.#texts.size >= MOST_REMEMBERED) this.#texts.clear();
    const remembered = new RememberedText(text);
    this.#texts.set(key, { of, text: remembered });
    return remembered.take();
  }
}

/** For what is one of some hundred. */
export function rememberingMany(write: (value: string) => string): (value: string) => string {
  const texts = new RecentTexts<null>();
  return (value) => texts.get(value)?.text.take() ?? texts.remember(value, null, write(value));
}
