/** What a program makes of octets that come on a connection. */
export interface Reading {
  readonly messages: readonly Message[];
  /** How it ends after those: more octets could follow, the connection is over, or a reason for a refusal. */
  readonly ending: 'open' | 'closed' | { readonly refused: string };
}

export interface Message {
  /** Method and target, or status and reason; then the x of HTTP/1.x. */
  readonly startLine: readonly [string, string, number];
  readonly fields: readonly string[];
  /** One character per octet. */
  body: string;
  /** Of those that a proxy lets pass. */
  trailers: readonly string[];
  /** All of them, as they came. */
  trailerSection: string;
  /** `at-end`: the end of the connection was the end of the body. */
  complete: 'yes' | 'no' | 'at-end';
  /** Whether the connection may be used for another message. */
  keepAlive: boolean;
}

/** Breaks a text into pieces. @param cuts - how long they are, one after the other; the last one is the rest. */
export function pieces(text: string, cuts: readonly number[]): Buffer[] {
  const octets = Buffer.from(text, 'latin1');
  const found: Buffer[] = [];
  let start = 0;
  for (const cut of [...cuts, octets.length]) {
    const end = Math.min(start + cut, octets.length);
    if (end > start) found.push(octets.subarray(start, end));
    start = end;
  }
  return found;
}
