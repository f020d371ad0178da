import { setTimeout as sleep } from 'node:timers/promises';
import type { Act } from './lane.ts';
import { below, pick, type Random } from './random.ts';

const SERVICES = ['web', 'shop'];
const HELD_MS = 1_500;

/** What an operator does. Nobody may notice, whatever the request. */
export const PLANNED: readonly Act[] = [
  {
    name: 'deploy',
    run: async (site, random) =>
      expectEnd(await site.deploy(serviceOf(random), 'deploy', { version: pick(random, ['v1', 'v2']) }), 'succeeded'),
  },
  {
    name: 'deploy what does not run',
    run: async (site, random) =>
      expectEnd(await site.deploy(serviceOf(random), 'deploy', { version: 'bad' }), 'rolled-back'),
  },
  {
    name: 'restart',
    run: async (site, random) => expectEnd(await site.deploy(serviceOf(random), 'restart', {}), 'succeeded'),
  },
  {
    name: 'scale',
    run: async (site, random) =>
      expectStatus(
        await site.api('POST', `/services/${serviceOf(random)}/scale`, { instances: 1 + below(random, 5) }),
        200,
      ),
  },
  {
    name: 'add',
    run: async (site, random) =>
      expectStatus(await site.api('POST', '/servers/add', { service: serviceOf(random) }), 201),
  },
  {
    name: 'remove',
    async run(site, random) {
      const all = (await site.system.list()).filter(({ status }) => status === 'running');
      const service = serviceOf(random);
      const own = all.filter(({ id }) => id.startsWith(service));
      if (own.length < 2) return; // the last one would leave nobody to answer
      expectStatus(await site.system.remove(pick(random, own)?.port ?? 0), 200);
    },
  },
  {
    name: 'pause and resume',
    async run(site, random) {
      const service = serviceOf(random);
      expectStatus(await site.api('POST', `/services/${service}/pause`), 200);
      await sleep(HELD_MS);
      expectStatus(await site.api('POST', `/services/${service}/resume`), 200);
    },
  },
  { name: 'replace the load balancer', run: (site) => site.loadBalancer.reload() },
  { name: 'replace the manager', run: (site) => site.manager.reload() },
  { name: 'change the configuration', run: (site) => site.reconfigure() },
  {
    name: 'change a service by hand',
    async run(site, random) {
      const algorithm = pick(random, ['least-time', 'round-robin', 'random-two-choices', null]);
      expectStatus(await site.api('PATCH', '/services/web', { algorithm, weight: 1 + below(random, 3) }), 200);
    },
  },
];

function serviceOf(random: Random): string {
  return pick(random, SERVICES) ?? 'web';
}

function expectStatus({ status, body }: { readonly status: number; readonly body: string }, expected: number): void {
  if (status !== expected) throw new Error(`${status} instead of ${expected}: ${body}`);
}

function expectEnd(state: string, expected: string): void {
  if (!state.startsWith(expected)) throw new Error(`${state} instead of ${expected}`);
}
