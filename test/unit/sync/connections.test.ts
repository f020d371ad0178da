import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inFlightOf } from '../../../internal/sync/nginx/connections.ts';
import { parseTcpTable } from '../../../internal/sync/nginx/tcp-table.ts';
import { server } from '../../support/synced.ts';

/** 127.0.0.1:8080 is listened on, by nginx. */
const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (local: string, remote: string, state: string, inode: number) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000 20 4 30 10 -1\n`;
const LISTENING = line('0100007F:1F90', '00000000:0000', '0A', 1);
const CLIENT = (inode: number) => line('0100007F:1F90', '0100007F:C000', '01', inode);
/** To 10.0.0.7:80. */
const UPSTREAM = (inode: number, state = '01') => line('0100007F:C001', '0700000A:0050', state, inode);

const worker = (isRetiring: boolean, ...inodes: readonly number[]) => ({
  isRetiring,
  sockets: new Set(inodes.map(String)),
});
const count = (lines: readonly string[], ...workers: Parameters<typeof inFlightOf>[0]['workers']) =>
  inFlightOf({ entries: parseTcpTable(HEAD + lines.join('')), workers }, [server(80)]).get('web-80');

describe('what nginx has under way on a draining server', () => {
  it('is its connections there', () => {
    assert.equal(count([LISTENING, CLIENT(2), UPSTREAM(3)], worker(true, 2, 3)), 1);
    assert.equal(count([LISTENING, CLIENT(2), UPSTREAM(3)], worker(false, 2, 3)), 1);
  });

  it('counts those that begin or that the server has ended, not those that are over', () => {
    assert.equal(count([UPSTREAM(3, '02'), UPSTREAM(4, '08'), UPSTREAM(5, '06')], worker(true, 3, 4, 5)), 2);
  });

  it('is not what other programs have there, unless nobody may look into nginx', () => {
    assert.equal(count([UPSTREAM(3)], worker(true, 4)), 0);
    assert.equal(count([UPSTREAM(3)], { isRetiring: true, sockets: null }), 1);
  });

  it('is also a client of an old worker whose request has not gone anywhere yet, as during an upload', () => {
    assert.equal(count([LISTENING, CLIENT(2)], worker(true, 2)), 1);
    assert.equal(count([LISTENING, CLIENT(2)], worker(false, 2)), 0);
  });

  it('is found by an IPv6 address, and by an IPv4 address within one', () => {
    const lines = [
      line('0000000000000000FFFF00000100007F:C001', '0000000000000000FFFF00000700000A:0050', '01', 3),
      line('00000000000000000000000001000000:C002', '000000FD000000000000000001000000:0050', '01', 4),
    ];
    const entries = parseTcpTable(HEAD + lines.join(''));
    assert.deepEqual(
      entries.map(({ remoteAddress }) => remoteAddress),
      ['10.0.0.7', 'fd00::1'],
    );
    const v6 = server(80, { id: 'v6', addresses: ['FD00:0::1'] });
    const counts = inFlightOf({ entries, workers: [worker(true, 3, 4)] }, [server(80), v6]);
    assert.deepEqual(
      [...counts],
      [
        ['web-80', 1],
        ['v6', 1],
      ],
    );
  });
});
