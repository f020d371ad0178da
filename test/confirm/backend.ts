import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { Backend } from '../../internal/simulation/backend.ts';
import { randomFrom } from '../../internal/simulation/random.ts';
import { drawAnswer } from '../../internal/simulation/scenario.ts';
import { SCENARIOS } from '../../internal/simulation/scenarios.ts';
import { systemClock } from '../../pkg/clock/clock.ts';

/** Epoch milliseconds of the beginning of the scenario. */
const StartSchema = z.object({ startedAt: z.number() });

/**
 * One backend of a scenario as a process: it works as the simulated one does, on a real clock. Before it is told that the scenario
 * begins, it answers at once.
 */
const [scenario, id, seed] = process.argv.slice(2);
const plan = SCENARIOS.find(({ name }) => name === scenario)?.backends.find((backend) => backend.id === id);
if (plan === undefined) throw new Error(`there is no backend ${id} in a scenario ${scenario}`);

const random = randomFrom(Number(seed));
let startedAt: number | null = null;
const backend = new Backend(systemClock, plan.workers, () => drawAnswer(plan, Date.now() - (startedAt ?? 0), random));

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  if (startedAt === null || request.url === '/health') {
    response.end();
    return;
  }
  backend.take(({ status }) => response.writeHead(status ?? 500, { 'X-Backend': plan.id }).end());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: isPort(address) ? address.port : 0 });
});
process.on('message', (message) => {
  startedAt = StartSchema.parse(message).startedAt;
});
process.on('disconnect', () => process.exit());

function isPort(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
