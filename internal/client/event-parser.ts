/** A server-sent event. */
export interface ServerSentEvent {
  /** `message` when the stream does not name it. */
  readonly event: string;
  readonly data: string;
}

/**
 * Reads server-sent events from pieces of text, wherever those are cut (WHATWG HTML §9.2.6). `id` and `retry` are passed over:
 * nothing here connects by itself again. The byte order mark is the decoder's matter.
 */
export class EventParser {
  /** The beginning of a line whose end has not come. */
  #begun = '';
  /** The piece before ended with CR: a LF that comes next belongs to it. */
  #endedWithCr = false;
  #event = '';
  #data: string[] = [];

  /** The events that this piece completes. */
  push(piece: string): ServerSentEvent[] {
    const text = this.#endedWithCr && piece.startsWith('\n') ? piece.slice(1) : piece;
    if (piece !== '') this.#endedWithCr = piece.endsWith('\r');
    const lines = text.split(/\r\n|\r|\n/);
    lines[0] = this.#begun + (lines[0] ?? '');
    this.#begun = lines.pop() ?? '';
    return lines.flatMap((line) => this.#take(line) ?? []);
  }

  /** An event, when this line ends one. */
  #take(line: string): ServerSentEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon); // '' is a comment
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    if (field === 'data') this.#data.push(value);
    return null;
  }

  #dispatch(): ServerSentEvent | null {
    const [event, data] = [this.#event || 'message', this.#data];
    this.#event = '';
    this.#data = [];
    return data.length === 0 ? null : { event, data: data.join('\n') };
  }
}
