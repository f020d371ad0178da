import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { planCores } from '../core-plan.ts';
import { FreePorts } from '../free-ports.ts';
import { isInstalled } from '../installed.ts';
import { cpuTime } from '../proc/cpu-time.ts';
import { answers } from '../readiness.ts';
import { median } from '../statistics.ts';
import { type Child, Workshop } from '../workshop.ts';

/**
 * `npm run bench:probes`: what active checks cost. A process of its own probes 1,000 instances once a second, and nothing
 * else; a bare server in another process answers them.
 */
const TARGETS = 1_000;
const WARM_UP_MS = 4_000;
const WINDOW_MS = 6_000;
const ROUNDS = 3;
const WAYS = [
  { name: 'http, connections kept (default)', settings: {} },
  { name: 'http, a connection each time', settings: { reuseConnection: false } },
  { name: 'tcp', settings: { type: 'tcp' } },
];
const CountsSchema = z.object({ probes: z.int(), failures: z.int() });

interface Cost {
  readonly microseconds: number;
  readonly share: number;
}

const plan = planCores(isInstalled('taskset') ? availableParallelism() : 1);
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => ending.abort(new Error(`ended by ${signal}`)));

await using workshop = await Workshop.open(ending.signal);
const [port = 0] = await new FreePorts().take(1);
const script = (name: string) => join(import.meta.dirname, name);
const server = await workshop.spawn([process.execPath, script('../backends/server.ts'), String(port)], {
  cores: plan.load,
  channel: true,
});
await answers(server, port, ending.signal);

const costs = new Map<string, Cost[]>(WAYS.map(({ name }) => [name, []]));
for (let round = 1; round <= ROUNDS; round += 1) {
  for (const { name, settings } of WAYS) costs.get(name)?.push(await measure(settings));
}
process.stdout.write(`${TARGETS} instances, each probed once a second; medians of ${ROUNDS} rounds\n`);
for (const [name, all] of costs) {
  const microseconds = median(all.map((cost) => cost.microseconds));
  const share = median(all.map((cost) => cost.share));
  process.stdout.write(
    `${name.padEnd(36)}${microseconds.toFixed(0).padStart(5)} µs/probe${share.toFixed(1).padStart(7)} % of a core\n`,
  );
}

/** @throws {Error} when a probe has failed. */
async function measure(settings: object): Promise<Cost> {
  const check = { interval: '1s', timeout: '900ms', ...settings };
  const command = [process.execPath, script('prober.ts'), String(port), String(TARGETS), JSON.stringify(check)];
  const prober = await workshop.spawn(command, { cores: plan.oneThread, channel: true });
  try {
    await sleep(WARM_UP_MS, undefined, { signal: ending.signal });
    const before = await look(prober);
    await sleep(WINDOW_MS, undefined, { signal: ending.signal });
    const after = await look(prober);
    if (after.failures > 0) throw new Error(`${after.failures} of ${after.probes} probes failed`);
    const used = after.cpu - before.cpu;
    return {
      microseconds: used / (after.probes - before.probes),
      share: (used / 1_000 / (after.at - before.at)) * 100,
    };
  } finally {
    await prober.stop();
  }
}

async function look(prober: Child) {
  prober.process.send({});
  const [answer] = await once(prober.process, 'message', { signal: ending.signal });
  const { probes, failures } = CountsSchema.parse(answer);
  return { probes, failures, cpu: await cpuTime(prober.pid), at: performance.now() };
}
