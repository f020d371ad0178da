import { RawBackend, type RawConnection } from './proxy-raw.ts';

/** Which of two contradicting fields a backend believes, or that it believes neither. */
export type Belief = 'length' | 'chunked' | 'nothing';

/** A request that the backend believes it got. */
export interface BelievedRequest {
  readonly startLine: string;
  readonly body: string;
  /** The number of the connection it came on. */
  readonly connection: number;
}

/**
 * A backend as no backend should be: it takes bare LFs and bare CRs for line ends, joins folded lines, ignores spaces and
 * control characters around names and values, reads any number out of a length or a chunk's size, and looks at no line
 * end after data. It answers 200 to every request it believes to see, so whatever is smuggled past a proxy shows up.
 */
export class LenientBackend {
  readonly requests: readonly BelievedRequest[];
  readonly #raw: RawBackend;

  private constructor(raw: RawBackend, requests: readonly BelievedRequest[]) {
    this.#raw = raw;
    this.requests = requests;
  }

  static async start(belief: Belief): Promise<LenientBackend> {
    const requests: BelievedRequest[] = [];
    const raw = await RawBackend.start((connection, index) => {
      const { socket } = connection;
      let seen = 0;
      socket.on('data', () => {
        for (;;) {
          const found = nextRequest(connection.received.slice(seen), belief);
          if (found === null) return;
          seen += found.length;
          requests.push({ startLine: found.startLine, body: found.body, connection: index });
          const [, target = '?'] = found.startLine.split(/\s+/);
          const answer = `answer to ${target}`;
          connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`);
        }
      });
      socket.on('end', () => socket.end());
    });
    return new LenientBackend(raw, requests);
  }

  get port(): number {
    return this.#raw.port;
  }

  /** Everything that came, on all connections. */
  get received(): string {
    return this.connections.map(({ received }) => received).join('');
  }

  get connections(): readonly RawConnection[] {
    return this.#raw.connections;
  }

  stop(): Promise<void> {
    return this.#raw.stop();
  }
}

function nextRequest(text: string, belief: Belief): { startLine: string; body: string; length: number } | null {
  const start = /^[\r\n]*/.exec(text)?.[0].length ?? 0;
  const end = /\r\n\r\n|\r?\n\r?\n|\r\r/.exec(text.slice(start));
  if (end === null) return null;
  const head = text.slice(start, start + end.index);
  const bodyStart = start + end.index + end[0].length;
  const [startLine = '', ...lines] = head.replace(/(\r\n|\n|\r)[ \t]+/g, ' ').split(/\r\n|\n|\r/);
  const body = bodyOf(text.slice(bodyStart), lines, belief);
  return body === null ? null : { startLine, body: body.text, length: bodyStart + body.length };
}

function bodyOf(rest: string, lines: readonly string[], belief: Belief): { text: string; length: number } | null {
  // eslint-disable-next-line no-control-regex
  const plain = lines.map((line) => line.replace(/[\x00-\x20\x7f-\xff"';]/g, '').toLowerCase());
  const length = plain.find((line) => line.startsWith('content-length:'))?.replace(/^[^:]*:\D*/, '');
  const isChunked = plain.some((line) => line.startsWith('transfer-encoding:') && line.includes('chunked'));
  if (belief === 'nothing') return { text: '', length: 0 };
  if (isChunked && (belief === 'chunked' || length === undefined)) return chunks(rest);
  const size = Number.parseInt(length ?? '0', 10) || 0;
  return rest.length < size ? null : { text: rest.slice(0, size), length: size };
}

function chunks(rest: string): { text: string; length: number } | null {
  let text = '';
  let at = 0;
  for (;;) {
    const line = /^[^\n]*\n/.exec(rest.slice(at));
    if (line === null) return null;
    const size = Number.parseInt(/[0-9a-f]+/i.exec(line[0])?.[0] ?? '0', 16);
    at += line[0].length;
    if (size === 0) {
      const end = /^(?:[^\r\n][^\n]*\n)*\r?\n/.exec(rest.slice(at));
      return end === null ? null : { text, length: at + end[0].length };
    }
    if (rest.length < at + size) return null;
    text += rest.slice(at, at + size);
    at += size + (/^\r?\n?/.exec(rest.slice(at + size))?.[0].length ?? 0);
  }
}
