const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that is safe in a page. */
export interface Html {
  readonly text: string;
}

/** A template whose values become text, unless they are `Html` already. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const texts = values.map((value) => (typeof value === 'string' ? escaped(value) : value.text));
  return { text: String.raw({ raw: parts }, ...texts) };
}

export function join(pieces: readonly Html[]): Html {
  return raw(pieces.map(({ text }) => text).join('\n'));
}

/** Of text that is written in this program alone. */
export function raw(text: string): Html {
  return { text };
}

/** Text in which `` `words` `` are code. */
export function prose(text: string): Html {
  const pieces = text.split('`').map((piece, at) => (at % 2 === 0 ? html`${piece}` : html`<code>${piece}</code>`));
  return raw(pieces.map((piece) => piece.text).join(''));
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
