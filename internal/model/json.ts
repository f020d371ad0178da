const DEEPEST = 100;
const SPACE = /[ \t\n\r]*/y;
/** Plain characters are those from the space on, except `"` and `\`. */
const STRING = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*"/y;
const SCALAR = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

/** The text is not JSON. The message never quotes values, which may be secrets. */
export class JsonSyntaxError extends Error {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;

  constructor(text: string, offset: number, message: string) {
    const before = text.slice(0, offset).split('\n');
    const [line, column] = [before.length, (before.at(-1)?.length ?? 0) + 1];
    super(`line ${line}, column ${column}: ${message}`);
    this.name = 'JsonSyntaxError';
    this.line = line;
    this.column = column;
  }
}

/**
 * Parses JSON strictly. A key that stands twice in one object is an error, because one of the two would be lost silently.
 * @throws {JsonSyntaxError} with line and column: the built-in parser does not always tell them.
 */
export function parseJson(text: string): unknown {
  const json = text.replace(/^\ufeff/, '');
  new SyntaxCheck(json).run();
  return JSON.parse(json);
}

/** Walks the grammar up to the first fault, without building anything. */
class SyntaxCheck {
  readonly #text: string;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    this.#value(0);
    this.#take(SPACE);
    if (this.#offset < this.#text.length) this.#fail('expected nothing after the value');
  }

  #value(depth: number): void {
    if (depth > DEEPEST) this.#fail('nested too deeply');
    if (this.#takeSign('{')) this.#members(depth);
    else if (this.#takeSign('[')) this.#elements(depth);
    else if (this.#text[this.#offset] === '"') this.#string();
    else if (!this.#take(SCALAR))
      this.#fail('expected a value: text in double quotes, a number, true, false, null, {} or []');
  }

  #members(depth: number): void {
    const seen = new Set<unknown>();
    if (this.#takeSign('}')) return;
    do {
      this.#take(SPACE);
      const start = this.#offset;
      if (this.#text[start] !== '"') this.#fail('expected a key in double quotes');
      const key = this.#string();
      const name: unknown = JSON.parse(key); // "a" and "\u0061" are the same key
      if (seen.has(name)) this.#fail(`the key ${key} stands twice in the same object`, start);
      seen.add(name);
      if (!this.#takeSign(':')) this.#fail('expected ":" after the key');
      this.#value(depth + 1);
    } while (this.#takeSign(','));
    if (!this.#takeSign('}')) this.#fail('expected "," or "}"');
  }

  #elements(depth: number): void {
    if (this.#takeSign(']')) return;
    do this.#value(depth + 1);
    while (this.#takeSign(','));
    if (!this.#takeSign(']')) this.#fail('expected "," or "]"');
  }

  #string(): string {
    return this.#take(STRING) || this.#fail('text that does not end on its line, or with an invalid escape');
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    const match = pattern.exec(this.#text)?.[0] ?? '';
    this.#offset += match.length;
    return match;
  }

  #takeSign(sign: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#offset] !== sign) return false;
    this.#offset += 1;
    return true;
  }

  #fail(message: string, at = this.#offset): never {
    throw new JsonSyntaxError(this.#text, at, message + this.#hint(at));
  }

  /** The end of the text, and two habits from other formats. */
  #hint(at: number): string {
    if (at >= this.#text.length) return ', but the text ends here';
    const sign = this.#text.charAt(at);
    if (sign === '/' || sign === '#') return ' (JSON has no comments)';
    const afterComma = this.#text.slice(0, at).trimEnd().endsWith(',');
    return afterComma && '}]'.includes(sign) ? ' (JSON allows no comma before a closing bracket)' : '';
  }
}
