/**
 * Asks a URL many times a second, and tells every second who has answered: `node traffic.ts http://10.77.0.10:8080 app1 app2 app3`.
 * A request that gets no 200 within two seconds counts as failed. Ends with the signal that ends it.
 */
import { Agent, get } from 'node:http';

const LANES = 8;
const PAUSE_MS = 20;
const PATIENCE_MS = 2_000;
/** Of the bar of whoever answers everything. */
const WIDTH = 36;

const [url = 'http://127.0.0.1:8080', ...servers] = process.argv.slice(2);
let answers = new Map<string, number>();
let failures = 0;

/** The name of the server that has answered with 200; null: none. */
function ask(agent: Agent): Promise<string | null> {
  return new Promise((resolve) => {
    const request = get(url, { agent, timeout: PATIENCE_MS }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200 ? String(response.headers['x-server']) : null));
      response.on('error', () => resolve(null));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(null));
  });
}

async function lane(): Promise<never> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (;;) {
    const server = await ask(agent);
    if (server === null) failures += 1;
    else answers.set(server, (answers.get(server) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function tell(): void {
  const total = Math.max(
    1,
    [...answers.values()].reduce((sum, count) => sum + count, 0),
  );
  const bars = servers.map((server) => {
    const count = answers.get(server) ?? 0;
    const bar = '█'.repeat(Math.round((count / total) * WIDTH));
    return `${server} ${bar.padEnd(WIDTH / 2)} ${String(count).padStart(3)}`;
  });
  console.log(`${new Date().toLocaleTimeString('sv')}  ${bars.join('   ')}   failed ${failures}`);
  answers = new Map();
  failures = 0;
}

for (let index = 0; index < LANES; index += 1) void lane();
setInterval(tell, 1_000);
