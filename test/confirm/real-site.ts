import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Algorithm } from '../../internal/model/algorithms.ts';
import type { Scenario } from '../../internal/simulation/scenario.ts';
import { FreePorts } from '../bench/free-ports.ts';
import { answers } from '../bench/readiness.ts';
import type { Child, Workshop } from '../bench/workshop.ts';

const LOAD_BALANCER = join(import.meta.dirname, '..', '..', 'cmd', 'load-balancer', 'main.ts');
const BACKEND = join(import.meta.dirname, 'backend.ts');
const PortSchema = z.object({ port: z.int() });

/** The backends of a scenario and a load balancer in front of them, each a process. */
export interface RealSite {
  readonly url: string;
  /** The request log. */
  readonly log: string;
  /** What the load balancer calls the backend that the scenario watches. */
  readonly watched: string;
  /** Begins the scenario. @returns when, in epoch milliseconds. */
  begin(): number;
  stop(): Promise<void>;
}

/** @throws {Error} when one of the processes does not start; whatever runs then ends with the workshop. */
export async function startSite(workshop: Workshop, scenario: Scenario, algorithm: Algorithm): Promise<RealSite> {
  const backends = await Promise.all(scenario.backends.map(({ id }, n) => startBackend(workshop, scenario, id, n + 1)));
  const [port = 0, admin = 0] = await new FreePorts().take(2);
  const folder = join(workshop.folder, `${scenario.name}-${algorithm}`);
  await mkdir(folder);
  const config = await workshop.file(
    join(`${scenario.name}-${algorithm}`, 'config.json'),
    JSON.stringify({
      proxy: { host: '127.0.0.1', port, admin: { host: '127.0.0.1', port: admin } },
      registry: { path: 'registry.db' },
      services: [
        {
          name: 'web',
          algorithm,
          outlierDetection: { enabled: false }, // what an algorithm does by itself
          servers: backends.map((backend, n) => ({
            address: `127.0.0.1:${backend.port}`,
            weight: scenario.backends[n]?.weight ?? 1,
          })),
        },
      ],
    }),
  );
  const log = join(folder, 'requests.log');
  const command = ['sh', '-c', 'exec "$0" "$1" --config "$2" > "$3"', process.execPath, LOAD_BALANCER, config, log];
  const balancer = await workshop.spawn(command, { cores: null });
  await answers(balancer, port, workshop.signal);
  return {
    url: `http://127.0.0.1:${port}/`,
    log,
    watched: `web@127.0.0.1:${backends.find(({ id }) => id === scenario.watch.backend)?.port}`,
    begin() {
      const startedAt = Date.now();
      for (const { child } of backends) child.process.send({ startedAt });
      return startedAt;
    },
    async stop() {
      await Promise.all([balancer.stop(), ...backends.map(({ child }) => child.stop())]);
    },
  };
}

async function startBackend(
  workshop: Workshop,
  scenario: Scenario,
  id: string,
  seed: number,
): Promise<{ readonly id: string; readonly child: Child; readonly port: number }> {
  const command = [process.execPath, BACKEND, scenario.name, id, String(seed)];
  const child = await workshop.spawn(command, { cores: null, channel: true });
  const [message] = await once(child.process, 'message', { signal: workshop.signal });
  return { id, child, port: PortSchema.parse(message).port };
}
