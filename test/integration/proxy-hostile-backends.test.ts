import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeEngines } from '../support/engines.ts';
import { onHeads, parseMessage, RawBackend, requestText } from '../support/proxy-raw.ts';
import { ProxySite, relayed } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describeEngines('the proxy outlives hostile backends', (engine) => {
  // Passed on, these would end the process, leave the client waiting for ever, or mean something else to it.
  const broken: Readonly<Record<string, string>> = {
    'a status below 100': 'HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nok',
    '101 unasked': 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'a length with a coding':
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!',
    'a coding that nobody undoes': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    'no HTTP': '220 mail.example ESMTP\r\n\r\n',
    'a folded field': 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok',
    'a head without end': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(300_000)}`,
  };
  for (const [name, answer] of Object.entries(broken)) {
    it(`which answer with ${name}: 502`, async () => {
      const text = await relayed(answer);
      assert.equal(parseMessage(text).status, 502, text);
      assert.doesNotMatch(text, /127\.0\.0\.1|HPE_|gzip/);
    });
  }

  it('which write control characters into the reason, or announce trailers without chunks', async () => {
    const reason = parseMessage(await relayed('HTTP/1.1 200 O\x01\x7fK\r\nContent-Length: 2\r\n\r\nok'));
    if (engine === 'wire') assert.equal(reason.status, 502);
    else assert.deepEqual([reason.startLine, reason.body], ['HTTP/1.1 200 OK', 'ok']);
    const trailer = parseMessage(await relayed('HTTP/1.1 200 OK\r\nTrailer: X\r\nContent-Length: 2\r\n\r\nok'));
    assert.deepEqual([trailer.all('trailer'), trailer.body], [[], 'ok']);
  });

  // Response poisoning: the second response waits on the idle connection for the next client.
  it('which send a second response unasked: the next client does not get it', async () => {
    const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
    await using pair = await ProxySite.withRaw((connection, index) => {
      onHeads(connection, () => {
        connection.write(OK);
        if (index === 0) setTimeout(() => connection.write(evil), 20);
      });
    });
    const { site, backend } = pair;
    assert.match(await site.exchange(requestText('GET /')), /ok$/);
    const first = await backend.connection(0);
    await first.rest();
    assert.match(await site.exchange(requestText('GET /')), /ok$/);
    const glued = await RawBackend.start((connection) => onHeads(connection, () => connection.write(OK + evil)));
    site.own(glued);
    site.use([glued.port]);
    for (let i = 0; i < 3; i += 1) assert.match(await site.exchange(requestText('GET /')), /ok$/);
  });
});
