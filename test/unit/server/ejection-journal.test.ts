import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Health, HealthRecord } from '../../../internal/model/health.ts';
import { EjectionJournal } from '../../../internal/server/ejection-journal.ts';
import { instance } from '../../support/proxy-fakes.ts';

function record(instanceId: string, health: Health, run = 1): HealthRecord {
  const incarnation = `${instanceId}#${run}`;
  return { instanceId, incarnation, health, cause: '5 gateway errors in a row', since: 0, proxyId: 'lb' };
}

function journalOf(...first: HealthRecord[]) {
  return journalWith(() => true, ...first);
}

function journalWith(speaks: () => boolean, ...first: HealthRecord[]) {
  const events: string[] = [];
  const present = { health: first };
  const journal = new EjectionJournal(
    {
      health: async (only) => present.health.filter(({ health }) => health === only),
      snapshot: async () => ({ registryId: 'one', revision: 1, services: [], instances: [instance('web-9001-a')] }),
    },
    {
      record: (type, subject, message) => events.push(`${type} ${subject?.service}: ${message}`),
    },
    speaks,
  );
  const look = async (...records: HealthRecord[]) => {
    present.health = records;
    await journal.look();
    return events.splice(0);
  };
  return { look };
}

describe('the journal of ejections', () => {
  it('tells once that an instance is ejected, and once that it is back', async () => {
    const { look } = journalOf();
    assert.deepEqual(await look(record('web-9001-a', 'healthy')), []);
    assert.deepEqual(await look(record('web-9001-a', 'ejected')), [
      'instance.ejected web: web-9001-a is ejected: 5 gateway errors in a row',
    ]);
    assert.deepEqual(await look(record('web-9001-a', 'ejected')), []);
    assert.deepEqual(await look(record('web-9001-a', 'healthy')), [
      'instance.readmitted web: web-9001-a answers again, and gets requests as before',
    ]);
    assert.deepEqual(await look(record('web-9001-a', 'healthy')), []);
  });

  it('knows the service of a declared server by its name', async () => {
    const { look } = journalOf();
    await look();
    const [event] = await look(record('api@10.0.0.7:80', 'ejected'));
    assert.match(event ?? '', /^instance\.ejected api: /);
  });

  it('takes no new process for one that is back, and tells nothing of the time before it', async () => {
    const { look } = journalOf();
    assert.deepEqual(await look(record('web-9001-a', 'ejected')), []);
    assert.deepEqual(await look(record('web-9001-a', 'healthy', 2)), []);
  });

  it('tells nothing while another manager speaks, and what happens from then on when it does so itself', async () => {
    const speaks = { now: false };
    const { look } = journalWith(() => speaks.now);
    assert.deepEqual(await look(record('web-9001-a', 'ejected')), []);
    speaks.now = true;
    assert.deepEqual(await look(record('web-9001-a', 'ejected')), []);
    assert.equal((await look(record('web-9001-a', 'healthy'))).length, 1);
  });
});
