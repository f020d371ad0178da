import assert from 'node:assert/strict';
import { it } from 'node:test';
import { latenciesOf } from '../../internal/proxy/recent-traffic.ts';
import { describeEngines } from '../support/engines.ts';
import { closedPort, eventually, onHeads, RawBackend, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const ANSWERS: Readonly<Record<string, string>> = {
  '/ok': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  '/mine': 'HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n',
  '/theirs': 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
  '/half': 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf',
};

describeEngines('the requests to a pool that are over', () => {
  it('are counted with those that failed for their clients, and how long the attempts took', async () => {
    const backend = await RawBackend.start((connection) => {
      onHeads(connection, (head) => {
        const path = head.split(' ')[1] ?? '';
        connection.write(ANSWERS[path] ?? '');
        if (path === '/half') connection.close();
      });
    });
    await using site = await ProxySite.open([backend.port]);
    site.own(backend);
    const pool = site.fleet.pool('web')!;
    const ended = (count: number) => eventually(`${count} requests are over`, () => pool.endedRequests.ended === count);
    for (const path of ['/ok', '/theirs', '/mine']) await site.statusOf(requestText(`GET ${path}`));
    await ended(3);
    assert.deepEqual(pool.endedRequests, { ended: 3, failed: 1 });
    await site.exchange(requestText('GET /half'));
    await ended(4);
    assert.deepEqual(pool.endedRequests, { ended: 4, failed: 2 });
    const [upstream] = [...pool.upstreams()];
    assert.equal(latenciesOf(upstream!.latencies).answers, 4);
  });

  it('have failed when nobody could be reached, once however many attempts there were', async () => {
    await using site = await ProxySite.open([await closedPort(), await closedPort()]);
    assert.match(String(await site.statusOf(requestText('GET /'))), /50[23]/);
    const pool = site.fleet.pool('web')!;
    await eventually('the request is over', () => pool.endedRequests.ended === 1);
    assert.deepEqual(pool.endedRequests, { ended: 1, failed: 1 });
  });
});
