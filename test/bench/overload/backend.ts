import { createServer, type Socket } from 'node:net';
import { logNormal, randomFrom } from '../../../internal/simulation/random.ts';
import { SERVICE_MS, WORKERS } from './plan.ts';

/**
 * `node backend.ts SCENARIO PORT,PORT,…`: backends with a known capacity. What they do is wait for timers, so that the cores are free for
 * those who are measured. As most applications, they finish what they have begun for clients that are gone.
 */
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const HEAD_END = '\r\n\r\n';
/** Standard deviation of the logarithm of a service time. */
const SPREAD = 0.5;
const MEDIAN_MS = SERVICE_MS / Math.exp(SPREAD ** 2 / 2);
/** What a crowd of n times the workers does to the service time: n to the power of this. */
const CONTENTION = 1.25;

class Backend {
  readonly #random = randomFrom(1);
  readonly #queue: (() => void)[] = [];
  readonly #shares: boolean;
  #busy = 0;

  constructor(shares: boolean) {
    this.#shares = shares;
  }

  take(answer: () => void): void {
    if (this.#shares || this.#busy < WORKERS) this.#work(answer);
    else this.#queue.push(answer);
  }

  #work(answer: () => void): void {
    this.#busy += 1;
    const crowd = Math.max(1, this.#busy / WORKERS) ** CONTENTION;
    const done = () => {
      this.#busy -= 1;
      const next = this.#queue.shift();
      if (next !== undefined) this.#work(next);
      answer();
    };
    setTimeout(done, logNormal(this.#random, MEDIAN_MS, SPREAD) * crowd);
  }
}

function serve(socket: Socket, backend: Backend): void {
  let text = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (let end = text.indexOf(HEAD_END); end !== -1; end = text.indexOf(HEAD_END)) {
      const isCheck = text.startsWith('GET /health');
      text = text.slice(end + HEAD_END.length);
      if (isCheck) socket.write(ANSWER);
      else backend.take(() => socket.writable && socket.write(ANSWER));
    }
  });
}

const [scenario, ports = ''] = process.argv.slice(2);
for (const port of ports.split(',').map(Number)) {
  const backend = new Backend(scenario === 'contention');
  createServer({ noDelay: true }, (socket) => serve(socket, backend)).listen({
    port,
    host: '127.0.0.1',
    backlog: 4_096,
  });
}
