import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LeadingSink } from '../../../pkg/alerts/leading-sink.ts';
import type { NodeRecord } from '../../../internal/model/node.ts';
import type { ProxyRecord } from '../../../internal/registry/registry.ts';
import { Absences } from '../../../internal/server/absences.ts';
import { PeerWatch } from '../../../internal/server/peer-watch.ts';
import { RecordingSink } from '../../support/alert-sink.ts';

const NOTE = { url: null, address: '10.0.0.6', version: '1', services: [], instances: 2, cores: 2, load: 0 };

/** One of several managers, whose registry says what a test wants. */
class Watching {
  readonly sink = new RecordingSink();
  readonly spoken: string[] = [];
  leads = true;
  proxies: ProxyRecord[] = [];
  away = false;
  now = 0;
  readonly absences = new Absences();
  readonly #joint = new LeadingSink(this.sink);
  readonly watch = new PeerWatch({
    registry: {
      isShared: true,
      leads: async () => this.leads,
      proxies: async () => this.proxies,
      nodes: async () => [this.#node('a', true), this.#node('b', !this.away)],
    },
    alerts: this.#joint,
    clock: () => this.now,
    startedAt: 0,
    absences: this.absences,
    speaking: {
      lead: (leading) => {
        this.spoken.push(leading ? 'leads' : 'follows');
        this.#joint.lead(leading);
      },
      gather: () => void this.spoken.push('gathers'),
    },
  });

  async look(times: number): Promise<void> {
    for (let left = times; left > 0; left -= 1) {
      this.now += 1_000;
      await this.watch.look();
    }
  }

  #node(name: string, alive: boolean): NodeRecord {
    return { ...NOTE, name, pid: 1, startedAt: 0, alive, seenAt: 0 };
  }
}

describe('the watch over what all managers see', () => {
  it('tells once of a node that is away, and of its return', async () => {
    const watching = new Watching();
    watching.away = true;
    await watching.look(10);
    assert.deepEqual(watching.sink.take(), ['! node-away:b']);
    assert.equal(watching.absences.isAway('b'), true);
    watching.away = false;
    await watching.look(1);
    assert.deepEqual(watching.sink.take(), ['ok node-away:b']);
  });

  it('tells of a lost host once, with its load balancer, which is a trouble of its own only when it stays away', async () => {
    const watching = new Watching();
    const told = { pid: 1, startedAt: 0, appliedRevision: 1, inFlight: new Map() };
    watching.proxies = [{ ...told, id: 'lb-b', node: 'b', heartbeatAt: 0 }];
    watching.away = true;
    await watching.look(12);
    assert.deepEqual(watching.sink.take(), ['! node-away:b']);
    const [alert] = watching.sink.raised;
    assert.deepEqual([alert?.node, /neither has its load balancer lb-b/.test(alert?.cause ?? '')], ['b', true]);
    watching.away = false;
    await watching.look(1);
    assert.deepEqual(watching.sink.take(), ['ok node-away:b', '! load-balancer-gone:lb-b']);
  });

  it('leaves it to the manager that speaks for all, and goes on when that one has gone', async () => {
    const watching = new Watching();
    watching.leads = false;
    watching.away = true;
    await watching.look(10);
    assert.deepEqual([watching.sink.take(), watching.spoken, watching.watch.leads], [[], ['follows'], false]);
    watching.leads = true;
    await watching.look(1);
    assert.deepEqual([watching.sink.take(), watching.spoken], [['! node-away:b'], ['follows', 'leads']]);
  });

  it('gathers now and then what others have left to tell, while it speaks for them', async () => {
    const watching = new Watching();
    await watching.look(6);
    assert.deepEqual(watching.spoken, ['leads', 'gathers', 'gathers']);
  });
});
