import type { ResolvedServer } from '../resolved.ts';
import { canonical } from '../canonical.ts';
import type { Slot } from './server-table.ts';

/** HAProxy knows weights up to this. */
const MAX_WEIGHT = 256;

export type SlotChange = { readonly slot: string } & (
  | { readonly set: 'state'; readonly state: 'ready' | 'maint' }
  | { readonly set: 'weight'; readonly weight: number }
  | { readonly set: 'addr'; readonly address: string; readonly port: number }
);

interface SlotPlan {
  /** In this order: first nobody new gets to who is to go. */
  readonly changes: readonly SlotChange[];
  /** Servers that should get requests, and have no slot. */
  readonly missing: readonly ResolvedServer[];
}

/**
 * What brings a backend into line with the servers. Who has a slot keeps it, found by its address, so that nothing has to be
 * remembered over restarts of either side. Who is down or draining is in `maint`, not in `drain`: in that state HAProxy still
 * sends it the clients whose cookie names it. What runs on it goes on in both.
 */
export function planSlots(slots: readonly Slot[], servers: readonly ResolvedServer[]): SlotPlan {
  const taken = new Map<string, ResolvedServer>();
  const without: ResolvedServer[] = [];
  const places = Map.groupBy(slots, ({ address, port }) => placeOf(address ?? '', port));
  for (const server of servers) {
    const leading = server.addresses.flatMap((one) => places.get(placeOf(canonical(one), server.port)) ?? []);
    const slot = leading.find(({ name }) => !taken.has(name));
    if (slot !== undefined) taken.set(slot.name, server);
    else if (server.state === 'up') without.push(server);
  }
  const free = slots.filter(({ name }) => (taken.get(name)?.state ?? 'down') === 'down');
  const spare = free.toSorted((a, b) => rank(a, taken) - rank(b, taken)).slice(0, without.length);
  const weightOf = weights(servers);
  const resting = slots.filter(({ name }) => taken.get(name)?.state !== 'up');
  return {
    changes: [
      ...resting.filter(({ state }) => state !== 'maint').map(({ name }) => toState(name, 'maint')),
      ...slots.flatMap((slot) => {
        const server = taken.get(slot.name);
        return server?.state === 'up' ? keep(slot, weightOf(server)) : [];
      }),
      ...spare.flatMap((slot, index) => {
        const server = without[index];
        return server === undefined ? [] : give(slot, server, weightOf(server));
      }),
    ],
    missing: without.slice(spare.length),
  };
}

/** Whether a slot leads to a server. */
export function isAt({ address, port }: Slot, server: ResolvedServer): boolean {
  return port === server.port && address !== null && server.addresses.some((one) => canonical(one) === address);
}

function placeOf(address: string, port: number): string {
  return `${address} ${port}`;
}

/** Slots of nobody go first; then those of servers that are down, which come back to another one. */
function rank({ name, state }: Slot, taken: ReadonlyMap<string, ResolvedServer>): number {
  return (taken.has(name) ? 2 : 0) + (state === 'maint' ? 0 : 1);
}

function keep({ name, state, weight }: Slot, wanted: number): SlotChange[] {
  return [
    ...(weight === wanted ? [] : [{ slot: name, set: 'weight', weight: wanted } as const]),
    ...(state === 'ready' ? [] : [toState(name, 'ready')]),
  ];
}

function give({ name, weight }: Slot, { addresses, port }: ResolvedServer, wanted: number): SlotChange[] {
  const [address = ''] = addresses;
  return [
    { slot: name, set: 'addr', address, port },
    ...(weight === wanted ? [] : [{ slot: name, set: 'weight', weight: wanted } as const]),
    toState(name, 'ready'),
  ];
}

function toState(slot: string, state: 'ready' | 'maint'): SlotChange {
  return { slot, set: 'state', state };
}

/** As they are, or in proportion where one is greater than HAProxy knows. */
function weights(servers: readonly ResolvedServer[]): (server: ResolvedServer) => number {
  const factor = Math.min(1, MAX_WEIGHT / Math.max(1, ...servers.map(({ weight }) => weight)));
  return ({ weight }) => Math.max(1, Math.round(weight * factor));
}
