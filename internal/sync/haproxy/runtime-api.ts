import { connect } from 'node:net';
import { printable } from '../../model/printable.ts';
import { FrontError } from '../front.ts';

/** HAProxy answers within milliseconds. */
const TIMEOUT_MS = 3_000;
/** Some 20,000 servers. */
const LONGEST_ANSWER = 8_000_000;
/** Of an answer that nobody expected, in characters. */
const LONGEST_QUOTE = 200;

const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'HAProxy does not run, or its configuration has no such "stats socket"',
  ECONNREFUSED: 'HAProxy does not run any more, or does not listen there',
  EACCES: 'this user may not open it; give the "stats socket" a mode or a group that lets it',
};

/** HAProxy's runtime API (management guide, section 9.3). */
export class RuntimeApi {
  readonly #socket: string;

  /** @param socket - a path, or `host:port`. */
  constructor(socket: string) {
    this.#socket = socket;
  }

  /**
   * What HAProxy says to one command, without the empty line at the end.
   * @throws {FrontError} when there is no answer, or this user may not give that command.
   */
  async ask(command: string): Promise<string> {
    const answer = (await this.#exchange(command)).trimEnd();
    if (!answer.startsWith('Permission denied')) return answer;
    throw new FrontError(`${this.#socket}: HAProxy permits no changes there; its "stats socket" needs "level admin"`);
  }

  /** For an answer that cannot be understood. */
  unexpected(command: string, answer: string): FrontError {
    const quoted = JSON.stringify(printable(answer.slice(0, LONGEST_QUOTE)));
    return new FrontError(`${this.#socket}: HAProxy says ${quoted} to "${command}"`);
  }

  #exchange(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(addressOf(this.#socket));
      let answer = '';
      const fail = (why: string) => {
        socket.destroy();
        reject(new FrontError(`${this.#socket}: ${why}`));
      };
      socket.setTimeout(TIMEOUT_MS, () => fail(`no answer to "${command}" within ${TIMEOUT_MS / 1_000} s`));
      socket.setEncoding('latin1');
      socket.on('connect', () => socket.write(`${command}\n`));
      socket.on('data', (text: string) => {
        answer += text;
        if (answer.length > LONGEST_ANSWER) fail('an answer without end; is that HAProxy?');
      });
      socket.on('end', () => {
        socket.destroy();
        resolve(answer);
      });
      socket.on('error', (error: NodeJS.ErrnoException) => fail(ADVICE[error.code ?? ''] ?? error.message));
    });
  }
}

function addressOf(socket: string): { readonly path: string } | { readonly host: string; readonly port: number } {
  const [, host, port] = /^\[?([^/]+?)\]?:(\d+)$/.exec(socket) ?? [];
  return host === undefined ? { path: socket } : { host, port: Number(port) };
}
