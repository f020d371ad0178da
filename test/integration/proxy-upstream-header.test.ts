import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeEngines } from '../support/engines.ts';
import { onHeads, parseMessage, RawBackend, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-served-by: somebody else\r\nX-Served-By: again\r\n\r\nok';
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Served-By: somebody else\r\n\r\n';

function backend(): Promise<RawBackend> {
  return RawBackend.start((connection) => {
    onHeads(connection, (head) => connection.write(/^upgrade:/im.test(head) ? SWITCHING : OK));
  });
}

const servedBy = (answer: string) => parseMessage(answer).all('x-served-by');

describeEngines('the field that names the upstream', () => {
  it('is in answers and in upgrades once, in place of what the upstream says', async () => {
    const only = await backend();
    await using site = await ProxySite.open([only.port], { upstreamHeader: 'X-Served-By' });
    site.own(only);
    const id = site.upstreams()[0]?.id ?? 'none';
    const answer = await site.exchange(requestText('GET /'));
    assert.deepEqual(servedBy(answer), [id]);
    assert.equal(parseMessage(answer).body, 'ok');
    const client = await site.client(requestText('GET /', ['Connection: Upgrade', 'Upgrade: websocket']));
    assert.deepEqual(servedBy(await client.receives('\r\n\r\n')), [id]);
    client.close();
  });

  it('is not touched by default', async () => {
    const only = await backend();
    await using site = await ProxySite.open([only.port]);
    site.own(only);
    assert.deepEqual(servedBy(await site.exchange(requestText('GET /'))), ['somebody else', 'again']);
  });
});
