import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from '../../../internal/model/instance.ts';
import { incarnationOf } from '../../../internal/model/incarnation.ts';
import { openManager, openProxy } from '../../../internal/registry/open.ts';
import type { InstanceDraft } from '../../../internal/registry/registry.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { type Moments, OrderSchema, PlaceSchema } from './messages.ts';
import { type Change, storm } from './storm.ts';

/** `node writer.ts PLACE`: a manager's registry without a manager, which fills it and then changes it as it is told. */
const PER_HOST = 100;
const PORTS = Array.from({ length: 2 * PER_HOST }, (_, index) => 9_000 + index);

const { registry: settings, services } = PlaceSchema.parse(JSON.parse(process.argv[2] ?? ''));
const log = createLogger({ name: 'writer', level: 'warn', pretty: false });
const registry = await openManager(settings, { node: 'bench', log });
const ids: string[] = [];

process.on('message', (order) => void obey(order));
process.on('disconnect', () => process.exit(0));
process.send?.({});

async function obey(order: unknown): Promise<void> {
  const parsed = OrderSchema.parse(order);
  process.send?.(parsed.type === 'fill' ? await fill(parsed.instances) : await change(parsed));
}

/** All are ready, and found healthy by a load balancer before the ones that are measured. */
async function fill(instances: number) {
  const rows: Instance[] = [];
  let revision = 0;
  for (let place = 0; place < instances; place += PER_HOST) {
    const drafts = Array.from({ length: Math.min(PER_HOST, instances - place) }, (_, n) => draftOf(place + n));
    const reserved = await registry.reserve(drafts, PORTS, 0);
    for (const updated of await Promise.all(reserved.map(({ id }) => registry.update(id, running())))) {
      rows.push(updated.instance);
      ({ revision } = updated);
    }
  }
  ids.push(...rows.map(({ id }) => id));
  const proxy = await openProxy(settings, { proxyId: 'before', log });
  const since = Date.now();
  await proxy.saveHealth(
    rows.map((row) => ({
      instanceId: row.id,
      incarnation: incarnationOf(row),
      health: 'healthy',
      cause: 'passed',
      since,
      proxyId: 'before',
    })),
  );
  await proxy.close();
  return { revision };
}

interface Storm {
  readonly perSecond: number;
  readonly seconds: number;
  /** Changes under way at the same time: a commit of a networked registry takes longer than it keeps it busy. */
  readonly lanes: number;
}

/** As many changes as fit into the time at this rate, or fewer when the registry does not take so many. */
async function change({ perSecond, seconds, lanes: count }: Storm) {
  const beganAt = now();
  const lanes = Array.from({ length: count }, (_, lane) =>
    stormIn(lane, { perSecond, seconds, lanes: count }, beganAt),
  );
  const ended = await Promise.all(lanes);
  return {
    changes: ended.reduce((sum, { changes }) => sum + changes, 0),
    commits: ended.flatMap(({ commits }) => commits).toSorted(([a], [b]) => a - b),
    seconds: (now() - beganAt) / 1_000,
  };
}

/** What happens to one instance in so many as there are lanes, one change after the other, as one of several managers would make them. */
async function stormIn(lane: number, { perSecond, seconds, lanes }: Storm, beganAt: number) {
  const changes = storm(Math.floor(ids.length / lanes));
  const commits: Moments = [];
  const isOver = () => now() - beganAt >= 1_000 * seconds;
  let count = 0;
  while (!isOver()) {
    const due = Math.floor((((now() - beganAt) / 1_000) * perSecond) / lanes);
    for (; count < due && !isOver(); count += 1) {
      const { kind, place } = changes.next().value;
      const revision = await carryOut({ kind, place: place * lanes + lane }, count);
      if (revision !== null) commits.push([revision, now()]);
    }
    await sleep(1);
  }
  return { changes: count, commits };
}

/** @returns the revision of the change; null where the registry does not tell it. */
async function carryOut({ kind, place }: Change, count: number): Promise<number | null> {
  const id = ids[place] ?? '';
  switch (kind) {
    case 'weight':
      return (await registry.update(id, { weight: 1 + (count % 100) })).revision;
    case 'drain':
      return (await registry.update(id, { lifecycle: 'draining' })).revision;
    case 'ready':
      return (await registry.update(id, running())).revision;
    case 'remove':
      await registry.remove(id);
      return null;
    case 'add': {
      const [added] = await registry.reserve([draftOf(place)], PORTS, 0);
      ids[place] = added?.id ?? '';
      return null;
    }
  }
}

function draftOf(place: number): InstanceDraft {
  const service = services[place % services.length] ?? '';
  const host = `10.1.${Math.floor(place / PER_HOST)}.1`;
  return { service, host, node: 'bench', weight: 1, version: 'v1', variant: null, deployment: null, env: {} };
}

function running() {
  const process = { pid: 4_711, startTime: '12345', bootId: 'boot', token: 'token' };
  return { lifecycle: 'ready', process, startedAt: Date.now() } as const;
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
