import type autocannon from 'autocannon';

/** A connection that lost a request is opened again only after this, in milliseconds: a target that is down is not flooded. */
const REOPEN_AFTER_MS = 20;

/** A request on its way, in milliseconds of `performance.now()`. */
export interface Sent {
  /** When it should have gone out. */
  readonly intendedMs: number;
  readonly sentMs: number;
}

export interface Answer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

export interface LaneEvents {
  /** It could send a request now. */
  free(lane: Lane): void;
  /** It cannot until it is free again. */
  gone(lane: Lane): void;
  answered(sent: Sent, answer: Answer): void;
  /** @param kind - such as `ECONNREFUSED`. */
  failed(sent: Sent, kind: string): void;
}

/**
 * One connection of autocannon that sends when it is told to, where autocannon's own sends whenever it can. Each request that was
 * sent is told of once, as answered or as failed; autocannon says nothing of those whose connection ends before the answer.
 */
export class Lane {
  readonly #client: autocannon.Client;
  readonly #events: LaneEvents;
  readonly #send: () => void;
  readonly #connect: () => void;
  #sent: Sent | null = null;
  #isOpen = false;
  #keepsAlive = true;
  #hasLost = false;

  /** @param client - as autocannon's `setupClient` gets it: before it connects. */
  constructor(client: autocannon.Client, events: LaneEvents) {
    this.#client = client;
    this.#events = events;
    this.#send = client._doRequest.bind(client);
    this.#connect = client._connect.bind(client);
    client._doRequest = () => this.#proceed();
    client._connect = () => this.#reopen();
    client.on('headers', (head: autocannon.ResponseHead) => {
      this.#keepsAlive = head.shouldKeepAlive === true;
    });
    client.on('connError', (error: NodeJS.ErrnoException) => this.#lose(error.code ?? error.message));
    ignoreExtraAnswers(client, (head) => this.#answer(head));
    noticeBrokenAnswers(client, () => this.abandon('malformed answer'));
  }

  get sent(): Sent | null {
    return this.#sent;
  }

  /** To be called of a lane that is free. @param intendedMs - when it should have gone out. */
  send(intendedMs: number): void {
    this.#sent = { intendedMs, sentMs: performance.now() };
    this.#send();
  }

  /** Gives its request up. */
  abandon(kind: string): void {
    this.#lose(kind);
    this.#client._connect();
  }

  #answer({ statusCode = 0, headers = [] }: autocannon.ResponseHead): void {
    const sent = this.#sent;
    this.#sent = null;
    if (sent !== null) this.#events.answered(sent, { status: statusCode, headers });
  }

  #lose(kind: string): void {
    this.#hasLost = true;
    const sent = this.#sent;
    this.#sent = null;
    if (sent !== null) this.#events.failed(sent, kind);
  }

  /** In place of the next request. */
  #proceed(): void {
    if (!this.#isOpen || this.#sent !== null) return;
    if (this.#keepsAlive) this.#events.free(this);
    else this.#client._connect();
  }

  #reopen(): void {
    const client = this.#client;
    this.#isOpen = false;
    this.#events.gone(this);
    if (this.#sent !== null) client.parser.finish(); // the end of the connection may be that of the answer
    if (this.#sent !== null) this.#lose('closed before the answer');
    client.parser.initialize('RESPONSE');
    if (client.conn !== undefined) client._destroyConnection();
    if (this.#hasLost) setTimeout(() => this.#open(), REOPEN_AFTER_MS).unref();
    else this.#open();
  }

  #open(): void {
    if (this.#client.destroyed || this.#isOpen) return;
    this.#isOpen = true;
    this.#keepsAlive = true;
    this.#hasLost = false;
    this.#connect();
  }
}

/** autocannon goes on as if nothing had come when an answer is no HTTP, until it times out. */
function noticeBrokenAnswers({ parser }: autocannon.Client, broken: () => void): void {
  const execute = parser.execute.bind(parser);
  parser.execute = (chunk) => {
    const result = execute(chunk);
    if (result instanceof Error) broken();
    return result;
  };
}

/** Neither an informational answer (103) is the one waited for, nor one to no request (408 of an idle connection). */
function ignoreExtraAnswers(
  { pipelinedRequests: pending }: autocannon.Client,
  answered: (head: autocannon.ResponseHead) => void,
): void {
  pending.addBody = () => undefined; // nobody reads it
  const terminate = pending.terminateRequest.bind(pending);
  pending.terminateRequest = () => {
    const head = pending.peek()?.headers ?? {};
    if ((head.statusCode ?? 0) < 200) return { headers: head, bytes: 0, duration: 0 };
    answered(head);
    return terminate();
  };
}
