import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serverIn, workersIn } from '../../zero-loss/peers/haproxy/replies.ts';
import { serversFile } from '../../zero-loss/peers/haproxy/servers.ts';

const PROCESSES = `#<PID>          <type>          <reloads>       <uptime>        <version>
26294           master          2 [failed: 0]   0d00h01m57s     2.6.12
# workers
26951           worker          0               0d00h00m02s     2.6.12
# old workers
26296           worker          2               0d00h01m57s     2.6.12
26301           worker          1               0d00h01m10s     2.6.12
# programs

`;
const STATISTICS = `# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight
web,web-1,0,0,3,9,,120,1,1,0,0,,0,0,0,0,UP,1
web,web-2,0,0,0,9,,120,1,1,0,0,,0,0,0,0,MAINT,1
web,BACKEND,0,0,3,9,,120,1,1,0,0,,0,0,0,0,UP,1
`;

describe('the answers of HAProxy', () => {
  it('tell which worker has taken over, and which are still there', () => {
    assert.deepEqual(workersIn(PROCESSES), { current: 26951, old: [26296, 26301] });
    assert.deepEqual(workersIn(''), { current: null, old: [] });
  });

  it('tell the state of a server', () => {
    assert.deepEqual(serverIn(STATISTICS, 'web', 'web-1'), { status: 'UP', sessions: 3 });
    assert.deepEqual(serverIn(STATISTICS, 'web', 'web-2'), { status: 'MAINT', sessions: 0 });
    assert.throws(() => serverIn(STATISTICS, 'shop', 'web-1'), /no shop\/web-1/);
  });
});

describe('the servers file of HAProxy', () => {
  it('has a backend for each service, and cookies where clients come back', () => {
    const lines = serversFile('leastconn', {
      web: [{ name: 'web-1', port: 9_001 }],
      shop: [{ name: 'shop-2', port: 9_002 }],
    }).split('\n');
    assert.ok(lines.includes('  server web-1 127.0.0.1:9001'));
    assert.ok(lines.includes('  server shop-2 127.0.0.1:9002 cookie shop-2'));
    assert.ok(lines.indexOf('  cookie SERVERID insert indirect nocache') > lines.indexOf('backend shop'));
    assert.equal(lines.filter((line) => line === '  balance leastconn').length, 2);
  });
});
