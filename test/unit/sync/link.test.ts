import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { pino } from 'pino';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { frontId } from '../../../internal/registry/front-id.ts';
import type {
  ProxyRecord,
  ProxyRegistry,
  ProxyReport,
  RegistryListener,
  Snapshot,
} from '../../../internal/registry/registry.ts';
import { SyncLink } from '../../../internal/sync/link.ts';
import { RecordingSink } from '../../support/alert-sink.ts';
import { instance } from '../../support/instance-row.ts';
import { settle } from '../../support/manual-clock.ts';

const snapshot = (revision: number, changes: Partial<Snapshot> = {}): Snapshot => ({
  registryId: 'r',
  revision,
  services: [],
  instances: [instance('web-1')],
  ...changes,
});

const OWN = frontId('nginx', ['web', 'api'], 'host-1-a');

function setUp() {
  const calls: string[] = [];
  let listener: RegistryListener | null = null;
  let isAway = false;
  let now = 1_000_000;
  let later: Snapshot | null = null;
  const registry = {
    proxyId: OWN,
    watch: (given: RegistryListener) => {
      calls.push('watch');
      listener = given;
    },
    report: async ({ appliedRevision }: ProxyReport) => {
      calls.push(`report ${appliedRevision}`);
      if (isAway) throw new HeimdallError('REGISTRY_UNAVAILABLE', 'away');
    },
    snapshot: async () => later,
    health: async () => [],
    proxies: async () => {
      if (isAway) throw new HeimdallError('REGISTRY_UNAVAILABLE', 'away');
      return rows;
    },
    saveHealth: async (records: readonly { readonly instanceId: string }[]) => {
      if (isAway) throw new HeimdallError('REGISTRY_UNAVAILABLE', 'away');
      calls.push(`health ${records.map(({ instanceId }) => instanceId).join()}`);
    },
    withdraw: async () => void calls.push('withdraw'),
    close: async () => void calls.push('close'),
  } as unknown as ProxyRegistry;
  const rows: ProxyRecord[] = [];
  const pictures: number[] = [];
  const sink = new RecordingSink();
  let beaten = Promise.withResolvers<boolean>();
  const link = new SyncLink({
    registry,
    log: pino({ level: 'silent' }),
    now: () => now,
    report: () => ({ appliedRevision: pictures.at(-1) ?? null, inFlight: new Map() }),
    alerts: sink,
    onRecalled() {},
    onPicture: ({ revision }) => pictures.push(revision),
    onBeat: async (leading) => beaten.resolve(leading),
  });
  return {
    link,
    calls,
    sink,
    /** Whether it speaks beside these load balancers, by their ids, from the oldest to the youngest. */
    speaksBeside: async (...ids: readonly string[]) => {
      const row = { pid: 1, heartbeatAt: now, appliedRevision: null, inFlight: new Map() };
      rows.splice(0, rows.length, ...ids.map((id, startedAt) => ({ ...row, id, startedAt })));
      beaten = Promise.withResolvers();
      mock.timers.tick(1_000);
      return beaten.promise;
    },
    pictures,
    tell: async (next: Snapshot) => {
      listener?.changed(next);
      await settle();
    },
    fail: () => listener?.failed(new Error('away')),
    away: (next: boolean) => (isAway = next),
    wait: (ms: number, next: Snapshot) => {
      now += ms;
      later = next;
    },
  };
}

describe('the link of a front to the registry', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  it('says with every heartbeat whether it speaks for all: whoever spoke last goes on when nobody can be asked', async () => {
    const { link, speaksBeside, away } = setUp();
    await link.start();
    assert.equal(await speaksBeside(OWN), true);
    assert.equal(await speaksBeside(OWN, 'host-2-b'), false);
    away(true);
    assert.equal(await speaksBeside(OWN, 'host-2-b'), false);
    away(false);
    assert.equal(await speaksBeside(OWN), true);
    away(true);
    assert.equal(await speaksBeside(OWN, 'host-2-b'), true);
    away(false);
    await link.stop();
  });

  it('announces the front before it reads, and takes it back at the end', async () => {
    const { link, calls, tell, pictures } = setUp();
    await link.start();
    await tell(snapshot(1));
    await link.stop();
    await tell(snapshot(2));
    assert.deepEqual([calls, pictures], [['report null', 'watch', 'withdraw', 'close'], [1]]);
  });

  it('announces it again, and reads again, after a time in which it counted as gone', async () => {
    const { link, calls, tell, wait, pictures } = setUp();
    await link.start();
    wait(6_000, snapshot(5));
    await tell(snapshot(4));
    assert.deepEqual([calls.at(-1), pictures], ['report null', [5]]);
    await link.stop();
  });

  it('goes on with what it has when the registry is away, emptied or behind', async () => {
    const { link, tell, fail, sink, pictures } = setUp();
    await link.start();
    await tell(snapshot(3));
    fail();
    fail();
    await tell(snapshot(2));
    await tell(snapshot(1, { registryId: 'other', instances: [] }));
    assert.deepEqual(pictures, [3]);
    await tell(snapshot(2, { registryId: 'other' }));
    assert.deepEqual(pictures, [3, 2]);
    assert.deepEqual(sink.take(), ['! registry-unavailable', 'ok registry-unavailable']);
    await link.stop();
  });

  it('keeps what it knows of health for later while the registry is away', async () => {
    const { link, calls, away } = setUp();
    const record = { incarnation: 'i', health: 'healthy', cause: 'passed', since: 1 } as const;
    away(true);
    link.saveHealth({ ...record, instanceId: 'a' });
    await settle();
    away(false);
    link.saveHealth({ ...record, instanceId: 'b' });
    await settle();
    assert.deepEqual(calls, ['health a,b']);
  });
});
