import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PLANNED } from '../../chaos/planned.ts';
import type { PlannedAct } from '../../chaos/schedule.ts';
import { ChaosSite } from '../../chaos/site.ts';
import type { Doings, Peer, PeerSite } from './peer.ts';

const THREADS = 2;
const PACKAGE = join(import.meta.dirname, '..', '..', '..', 'package.json');

/** heimdall as the chaos run has it. */
export const heimdall: Peer = {
  name: 'heimdall',
  about: 'manager and load balancer, engine wire, two threads; the sample backend as it is',
  isSticky: true,
  installed: z.object({ version: z.string() }).parse(JSON.parse(readFileSync(PACKAGE, 'utf8'))),
  async start(): Promise<PeerSite> {
    const site = await ChaosSite.start(THREADS);
    const { proxy } = site.system.ports;
    const doings: Doings = Object.fromEntries(
      Object.entries(PLANNED).map(([name, perform]) => [name, (act: PlannedAct) => perform(site, act)]),
    );
    return {
      ports: { web: proxy, shop: proxy },
      doings,
      isWell: () => site.isWell(),
      [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
    };
  },
};
