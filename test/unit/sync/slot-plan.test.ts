import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseServerStates, parseSessions, type Slot } from '../../../internal/sync/haproxy/server-table.ts';
import { planSlots } from '../../../internal/sync/haproxy/slot-plan.ts';
import { server } from '../../support/synced.ts';

const slot = (name: string, changes: Partial<Slot> = {}): Slot => ({
  name,
  address: '127.0.0.1',
  port: 1,
  weight: 1,
  state: 'maint',
  ...changes,
});
const at = (name: string, port: number, changes: Partial<Slot> = {}) =>
  slot(name, { address: '10.0.0.7', port, state: 'ready', ...changes });

/** As `slot: what`. */
function changes(slots: readonly Slot[], servers: Parameters<typeof planSlots>[1]): string[] {
  return planSlots(slots, servers).changes.map((change) => {
    if (change.set === 'addr') return `${change.slot}: ${change.address} ${change.port}`;
    return `${change.slot}: ${change.set === 'state' ? change.state : change.weight}`;
  });
}

describe('the slots of HAProxy', () => {
  it('are given to new servers, with address and weight before they get requests', () => {
    assert.deepEqual(changes([slot('s1')], [server(80, { weight: 5 })]), ['s1: 10.0.0.7 80', 's1: 5', 's1: ready']);
  });

  it('stay as they are when all is well', () => {
    assert.deepEqual(changes([at('s1', 80), slot('s2')], [server(80)]), []);
    assert.deepEqual(changes([at('s1', 80, { address: '::1' })], [server(80, { host: '0:0::1' })]), []);
  });

  it('take servers off that drain or are gone before anything else', () => {
    const slots = [at('s1', 80), at('s2', 81), slot('s3')];
    assert.deepEqual(changes(slots, [server(80, { state: 'draining' }), server(82)]), [
      's1: maint',
      's2: maint',
      's3: 10.0.0.7 82',
      's3: ready',
    ]);
  });

  it('of draining servers are given to nobody, of those that are down only when there is no other', () => {
    const slots = [at('s1', 80), at('s2', 81), slot('s3')];
    const servers = [server(80, { state: 'draining' }), server(81, { state: 'down' })];
    const plan = planSlots(slots, [...servers, server(82), server(83), server(84)]);
    assert.deepEqual(
      plan.changes.filter(({ set }) => set === 'addr').map((change) => change.slot),
      ['s3', 's2'],
    );
    assert.deepEqual(
      plan.missing.map(({ id }) => id),
      ['web-84'],
    );
  });

  it('come back from maint and from drain, and are corrected in their weight', () => {
    const slots = [at('s1', 80, { state: 'maint' }), at('s2', 81, { state: 'drain', weight: 9 })];
    assert.deepEqual(changes(slots, [server(80), server(81)]), ['s1: ready', 's2: 1', 's2: ready']);
  });

  it('of which two have the same address serve one server', () => {
    assert.deepEqual(changes([at('s1', 80), at('s2', 80)], [server(80)]), ['s2: maint']);
  });

  it('get weights in proportion where one is greater than HAProxy knows', () => {
    const slots = [at('s1', 80), at('s2', 81), at('s3', 82)];
    const servers = [server(80, { weight: 1_000 }), server(81, { weight: 500 }), server(82, { weight: 1 })];
    assert.deepEqual(changes(slots, servers), ['s1: 256', 's2: 128']);
  });
});

describe('what HAProxy tells', () => {
  const STATES = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_port
3 web 1 web1 127.0.0.1 0 5 1 1
3 web 2 web2 ::1 2 0 10 8080
3 web 3 web3 - 2 8 3 80`;

  it('is read by the names of the columns', () => {
    assert.deepEqual(parseServerStates(STATES), [
      slot('web1'),
      slot('web2', { address: '::1', port: 8_080, weight: 10, state: 'ready' }),
      slot('web3', { address: null, port: 80, weight: 3, state: 'drain' }),
    ]);
    assert.deepEqual(parseSessions('# pxname,svname,qcur,qmax,scur\nweb,web1,2,0,3\n'), new Map([['web1', 5]]));
  });

  for (const garbage of [
    '',
    'HTTP/1.1 400 Bad Request',
    '2\n# srv_name',
    '1\n# srv_name srv_addr\nx',
    STATES.replace(' 5 ', ' ? '),
  ]) {
    it(`is not taken for a table: ${JSON.stringify(garbage.slice(0, 30))}`, () => {
      assert.equal(parseServerStates(garbage), null);
    });
  }

  it('is not taken for statistics when it is none', () => {
    assert.equal(parseSessions('Unknown command: ...'), null);
  });
});
