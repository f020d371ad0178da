import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventType, HeimdallEvent } from '../../../../internal/model/event.ts';
import { CertificateBook } from '../../../../internal/server/rules/certificate-book.ts';
import { Disks } from '../../../../internal/server/rules/disk.ts';
import { HostRules, type HostRulesOptions } from '../../../../internal/server/rules/host-rules.ts';
import { AlertRuleSchema } from '../../../../pkg/alerts/rules/schema.ts';
import { createLogger } from '../../../../pkg/logger/logger.ts';
import { RecordingSink } from '../../../support/alert-sink.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';
import { service } from '../../../support/proxy-fakes.ts';

const DAY = 86_400_000;

class Host {
  readonly clock = new ManualClock();
  readonly sink = new RecordingSink();
  /** Newest first. */
  readonly events: HeimdallEvent[] = [];
  /** When the certificate of each host ends; absent: it shows none. */
  readonly ends = new Map<string, number>();
  readonly asked: string[] = [];
  away = false;
  readonly options: HostRulesOptions = {
    sink: this.sink,
    clock: this.clock,
    log: createLogger({ name: 'test', level: 'silent' }),
    countEvents: async ({ types, since, latest }) => {
      if (this.away) throw new Error('the registry is locked');
      const found = this.events.filter(({ type, at }) => at >= since && types.includes(type));
      return [...Map.groupBy(found, ({ service: of }) => of ?? '')].map(([of, events]) => {
        return { service: of, count: events.length, latest: events.slice(0, latest) };
      });
    },
    instances: async () => [{ id: 'api-1', service: 'api', host: '10.0.0.1', port: 443 }],
    dataDir: '/',
    certificates: new CertificateBook(this.clock, async ({ host, name }) => {
      this.asked.push(name);
      const end = this.ends.get(host);
      if (end === undefined) throw new Error('connect ECONNREFUSED');
      return end;
    }),
  };
  readonly rules = new HostRules(this.options);

  async configure(...rules: readonly object[]): Promise<void> {
    const services = [service(), service({ name: 'api', healthCheck: { type: 'https', host: 'api.example.com:443' } })];
    await this.rules.configure(
      rules.map((rule) => AlertRuleSchema.parse(rule)),
      services,
    );
  }

  happened(type: EventType, of = 'web'): void {
    this.events.unshift({
      at: this.clock.now(),
      type,
      service: of,
      instanceId: `${of}-1`,
      message: type,
      data: {},
    });
  }
}

describe('a rule about restarts', () => {
  it('counts unexpected ends within its window, of each service apart', async () => {
    const host = new Host();
    await host.configure({ when: 'restarts', above: 2, over: '10m' });
    for (const type of ['instance.exited', 'instance.removed', 'instance.lost'] as const) host.happened(type);
    host.happened('instance.exited', 'api');
    await host.clock.advance(10_000);
    assert.deepEqual(host.sink.take(), []);
    host.happened('instance.start-failed');
    await host.clock.advance(10_000);
    assert.deepEqual(host.sink.take(), ['! restarts:web/warning/2']);
    assert.match(
      host.sink.raised[0]?.cause ?? '',
      /^3 unexpected ends of instances within 10 min\n12:00:10 UTC instance\.start-failed\n/,
    );
    await host.clock.advance(580_000);
    assert.deepEqual(host.sink.take(), []);
    await host.clock.advance(30_000);
    assert.deepEqual(host.sink.take(), ['ok restarts:web/warning/2']);
  });

  it('changes nothing while the registry is away', async () => {
    const host = new Host();
    host.happened('instance.exited');
    await host.configure({ when: 'restarts', above: 0 });
    assert.deepEqual(host.sink.take(), ['! restarts:web/warning/0']);
    host.away = true;
    await host.clock.advance(3_600_000);
    assert.deepEqual(host.sink.take(), []);
    host.away = false;
    await host.clock.advance(20_000);
    assert.deepEqual(host.sink.take(), ['ok restarts:web/warning/0']);
  });
});

describe('a rule about certificates', () => {
  it('tells when one ends soon, and that it was renewed', async () => {
    const host = new Host();
    host.ends.set('example.com', host.clock.now() + 15 * DAY);
    await host.configure({ when: 'certificate', of: 'example.com', below: '14d' });
    await host.clock.advance(10_000);
    assert.match(
      host.rules.views()[0]?.reading ?? '',
      /^the one of example\.com:443 ends in 14 d 23 h, on 2026-01-17$/,
    );
    await host.clock.advance(DAY);
    assert.deepEqual(host.sink.take(), ['! certificate:example.com:443/warning/14 d']);
    host.ends.set('example.com', host.clock.now() + 90 * DAY);
    await host.clock.advance(700_000);
    assert.deepEqual(host.sink.take(), ['ok certificate:example.com:443/warning/14 d']);
  });

  it('asks the instances of services that are checked over HTTPS, for the name that the check asks for', async () => {
    const host = new Host();
    host.ends.set('10.0.0.1', host.clock.now() - DAY);
    await host.configure({ when: 'certificate', below: '14d' });
    await host.clock.advance(10_000);
    assert.deepEqual(host.asked, ['api.example.com']);
    assert.deepEqual(host.sink.take(), ['! certificate:api/warning/14 d']);
    assert.match(host.sink.raised[0]?.cause ?? '', /^the one of api-1 ended 1 d ago, on 2026-01-01/);
  });

  it('says nothing while none can be had, and why', async () => {
    const host = new Host();
    await host.configure({ when: 'certificate', of: 'example.com', below: '14d' });
    await settle();
    await host.clock.advance(10_000);
    assert.deepEqual(host.rules.views()[0], {
      rule: 'certificate valid for less than 14 d',
      severity: 'warning',
      subject: 'example.com:443',
      state: 'unknown',
      reading: 'connect ECONNREFUSED',
    });
    await host.clock.advance(3_600_000);
    assert.ok(host.asked.length > 30 && host.asked.length <= 61, 'it tries once a minute');
    assert.deepEqual(host.sink.take(), []);
  });
});

describe('a rule about a disk', () => {
  it('tells how full it is, and is about the folder of the registry by default', async () => {
    const host = new Host();
    await host.configure({ when: 'disk', above: '0%', severity: 'critical' });
    assert.deepEqual(host.sink.take(), ['! disk://critical/0%']);
    assert.match(host.sink.raised[0]?.cause ?? '', /^\d+(\.\d)?% full, [\d.]+ GiB free\nnext: /);
    await host.configure({ when: 'disk', of: '/there/is/no/such/folder', above: '0%' });
    assert.deepEqual(host.sink.take(), ['ok disk://critical/0%']);
    assert.match(host.rules.views()[0]?.reading ?? '', /ENOENT/);
  });
});

describe('a file system that does not answer', () => {
  it('is asked once, and holds up neither other rules nor the configuration', async () => {
    const host = new Host();
    host.happened('instance.exited');
    let asked = 0;
    const disks = new Disks(host.clock, () => {
      asked += 1;
      return new Promise(() => {});
    });
    const rules = new HostRules({ ...host.options, disks });
    const parsed = [
      { when: 'disk', above: '90%' },
      { when: 'restarts', above: 0 },
    ].map((rule) => {
      return AlertRuleSchema.parse(rule);
    });
    const configured = rules.configure(parsed, [service()]);
    await host.clock.advance(60_000);
    await configured;
    assert.deepEqual([asked, host.sink.take()], [1, ['! restarts:web/warning/0']]);
    assert.equal(rules.views()[0]?.reading, 'the file system has not answered within 5 s');
    rules.stop();
  });
});

describe('rules about the host', () => {
  it('come and go with the configuration; without any nothing runs', async () => {
    const host = new Host();
    await host.configure();
    assert.equal(host.clock.pending, 0);
    host.happened('instance.exited');
    await host.configure({ when: 'restarts', above: 0 });
    await host.configure();
    assert.deepEqual(
      [host.sink.take(), host.clock.pending],
      [['! restarts:web/warning/0', 'ok restarts:web/warning/0'], 0],
    );
  });

  it('go on with what a manager before has told of', async () => {
    const host = new Host();
    const alert = { severity: 'warning', title: 'told', at: 1 } as const;
    const keys = ['restarts:web/warning/0', 'disk:/gone/warning/90%', 'deployment:web'];
    host.rules.inherit(keys.map((key) => ({ ...alert, key })));
    host.happened('instance.exited');
    await host.configure({ when: 'restarts', above: 0 });
    assert.deepEqual(host.sink.take(), ['ok disk:/gone/warning/90%']);
  });

  it('say nothing any more when the manager stops', async () => {
    const host = new Host();
    host.happened('instance.exited');
    const looking = host.configure({ when: 'restarts', above: 0 });
    host.rules.stop();
    await looking;
    assert.deepEqual([host.sink.take(), host.clock.pending], [[], 0]);
  });
});
