import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/e2e-wait.ts';
import type { Act } from './lane.ts';
import type { ActName, PlannedAct } from './schedule.ts';
import type { ChaosSite } from './site.ts';

const HELD_MS = 1_500;

/** How each planned act is done with heimdall. */
export const PLANNED: Readonly<Record<ActName, (site: ChaosSite, act: PlannedAct) => Promise<void>>> = {
  deploy: async (site, { service, version }) =>
    expectEnd(await site.deploy(service, 'deploy', { version }), 'succeeded'),
  'deploy what does not run': async (site, { service }) =>
    expectEnd(await site.deploy(service, 'deploy', { version: 'bad' }), 'rolled-back'),
  restart: async (site, { service }) => expectEnd(await site.deploy(service, 'restart', {}), 'succeeded'),
  scale: async (site, { service, instances }) =>
    expectStatus(await site.api('POST', `/services/${service}/scale`, { instances }), 200),
  add: async (site, { service }) => expectStatus(await site.api('POST', '/servers/add', { service }), 201),
  async remove(site, { service, which }) {
    const all = (await site.system.list()).filter(({ status }) => status === 'running');
    const own = all.filter(({ id }) => id.startsWith(service));
    if (own.length < 2) return; // the last one would leave nobody to answer
    expectStatus(await site.system.remove(own[Math.floor(which * own.length)]?.port ?? 0), 200);
  },
  async 'pause and resume'(site, { service }) {
    try {
      expectStatus(await site.api('POST', `/services/${service}/pause`), 200);
      await sleep(HELD_MS);
    } finally {
      // Whatever breaks meanwhile, and also when the answer alone was lost: no operator leaves a service paused.
      const resume = async () => (await site.api('POST', `/services/${service}/resume`)).status === 200;
      await eventually(`${service} goes on`, resume);
    }
  },
  'replace the load balancer': (site) => site.loadBalancer.reload(),
  'replace the manager': (site) => site.manager.reload(),
  'change the configuration': (site) => site.reconfigure(),
  'change a service by hand': async (site, { algorithm, weight }) =>
    expectStatus(await site.api('PATCH', '/services/web', { algorithm, weight }), 200),
};

/** Can be done by a lane. */
export function planned(act: PlannedAct): Act {
  return { name: act.name, run: (site) => PLANNED[act.name](site, act) };
}

function expectStatus({ status, body }: { readonly status: number; readonly body: string }, expected: number): void {
  if (status !== expected) throw new Error(`${status} instead of ${expected}: ${body}`);
}

function expectEnd(state: string, expected: string): void {
  if (!state.startsWith(expected)) throw new Error(`${state} instead of ${expected}`);
}
