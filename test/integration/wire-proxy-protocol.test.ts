import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useEngine } from '../support/engines.ts';
import { eventually, onHeads, parseMessage, requestText } from '../support/proxy-raw.ts';
import { ProxySite, type SiteOptions } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const V1 = 'PROXY TCP4 203.0.113.7 198.51.100.1 51000 443\r\n';
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
/** 203.0.113.9:51000 to 198.51.100.1:443. */
const V2 = `${SIGNATURE}\x21\x11\0\x0c\xcb\0\x71\x09\xc6\x33\x64\x01\xc7\x38\x01\xbb`;
const LOCAL = `${SIGNATURE}\x20\0\0\0`;
const KEEP = ['Connection: keep-alive'];

function site(options: SiteOptions = {}) {
  useEngine('wire');
  return ProxySite.withRaw((connection) => onHeads(connection, () => connection.write(OK)), {
    acceptProxyProtocol: true,
    ...options,
  });
}

describe('the PROXY protocol', () => {
  for (const [name, header, address, port] of [
    ['version 1', V1, '203.0.113.7', '443'],
    ['version 2', V2, '203.0.113.9', '443'],
  ] as const) {
    it(`tells in ${name} who the client is, for all requests of the connection`, async () => {
      await using pair = await site();
      const client = await pair.site.client(`${header}${requestText('GET /a', KEEP)}${requestText('GET /b')}`);
      await client.rest();
      const seen = (pair.backend.connections[0]?.received ?? '').split(/(?<=\r\n\r\n)/).map(parseMessage);
      assert.deepEqual(
        seen.map(({ all }) => [all('x-forwarded-for'), all('x-forwarded-port')]),
        [
          [[address], [port]],
          [[address], [port]],
        ],
      );
      assert.equal((await pair.site.record()).client, address);
    });

    it(`may come in ${name} in any pieces`, async () => {
      await using pair = await site();
      const text = header + requestText('GET /');
      for (let cut = 1; cut < header.length + 4; cut += 3) {
        const client = await pair.site.client(text.slice(0, cut));
        client.write(text.slice(cut));
        assert.equal(parseMessage(await client.rest()).status, 200, `cut at ${cut}`);
      }
      await eventually('all are logged', () => pair.site.records.length > 5);
      assert.ok(pair.site.records.every(({ client }) => client === address));
    });
  }

  it('leaves the addresses of the connection where the proxy speaks for itself', async () => {
    await using pair = await site();
    await pair.site.exchange(LOCAL + requestText('GET /'));
    assert.equal((await pair.site.record()).client, '127.0.0.1');
  });

  it('decides by the address it tells whose X-Forwarded-For is believed', async () => {
    await using pair = await site({ trustedProxies: ['203.0.113.7'] });
    await pair.site.exchange(V1 + requestText('GET /', ['X-Forwarded-For: 10.1.1.1']));
    await pair.site.exchange(V2 + requestText('GET /', ['X-Forwarded-For: 10.1.1.1']));
    const clients = [(await pair.site.record(0)).client, (await pair.site.record(1)).client];
    assert.deepEqual(clients, ['10.1.1.1', '203.0.113.9']);
  });

  // Whoever can leave the header out, or send one where none is expected, says who it is.
  it('must be there, and nothing but right; else the connection is closed without a word', async () => {
    await using pair = await site();
    const wrong = [
      requestText('GET /'),
      'PROXY TCP4 1.2.3 4.5.6.7 1 2\r\n',
      'PROXY \r\n',
      `${SIGNATURE}\x31\x11\0\x0c`,
    ];
    for (const text of wrong) {
      const client = await pair.site.client(text);
      await eventually('it is closed', () => client.ended || client.closed);
      assert.equal(client.received, '');
    }
    assert.match((await pair.site.record()).refusal ?? '', /^proxy-/);
    assert.deepEqual(pair.backend.connections, []);
  });

  it('is no HTTP where it is not configured', async () => {
    await using pair = await site({ acceptProxyProtocol: false });
    assert.equal(await pair.site.statusOf(V1 + requestText('GET /')), 400);
    assert.deepEqual(pair.backend.connections, []);
  });

  it('has to come in time', async () => {
    await using pair = await site({ timeouts: { requestHead: 100 } });
    const client = await pair.site.client('PROXY TCP4 ');
    await eventually('it is closed', () => client.ended || client.closed);
  });
});
