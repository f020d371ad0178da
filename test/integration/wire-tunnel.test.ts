import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useEngine } from '../support/engines.ts';
import { LongBodyCheck, LongBodySender } from '../support/long-body.ts';
import { eventually, parseMessage, type RawConnection, requestText } from '../support/proxy-raw.ts';
import { ProxySite, type SiteOptions } from '../support/proxy-site.ts';

const FIELDS = ['Connection: upgrade', 'Upgrade: echo/7, other'];
const HANDSHAKE = requestText('GET /', FIELDS);
const SWITCH = 'HTTP/1.1 101 Fine\r\nConnection: upgrade\r\nUpgrade: echo/7\r\n\r\n';
const MIB = 1024 * 1024;
/** More than all buffers between two ends hold. */
const LONG = 64 * MIB;

/** A tunnel of some protocol, and both ends of it. */
async function tunnel(options?: SiteOptions) {
  useEngine('wire');
  const pair = await ProxySite.withRaw((connection) => {
    connection.socket.removeAllListeners('end'); // each side ends when it wants to
    connection.socket.on('end', () => {
      connection.ended = true;
    });
    connection.socket.once('data', () => connection.write(SWITCH));
  }, options);
  const client = await pair.site.client(HANDSHAKE);
  const head = parseMessage(await client.receives('\r\n\r\n'));
  const backend = await pair.backend.connection(0);
  const dispose = () => {
    backend.close(); // or it would hold its half open
    return pair[Symbol.asyncDispose]();
  };
  return { site: pair.site, client, backend, head, [Symbol.asyncDispose]: dispose };
}

function gone({ ended, closed }: RawConnection): boolean {
  return ended || closed;
}

describe('a tunnel through the wire engine', () => {
  it('opens for any protocol that the backend accepts', async () => {
    await using open = await tunnel();
    assert.deepEqual(
      [open.head.status, open.head.all('upgrade'), open.head.all('connection')],
      [101, ['echo/7'], ['Upgrade']],
    );
    assert.deepEqual(parseMessage(open.backend.received).all('upgrade'), ['echo/7, other']);
    open.client.write('\0\xff any octets \r\n\r\n');
    await open.backend.receives('\0\xff any octets \r\n\r\n');
    open.backend.write('GET / HTTP/1.1\r\n\r\n');
    await open.client.receives('GET / HTTP/1.1\r\n\r\n');
  });

  for (const first of ['client', 'backend'] as const) {
    it(`goes on toward the ${first} after the ${first} has ended its side`, async () => {
      await using open = await tunnel();
      const one = open[first];
      const other = open[first === 'client' ? 'backend' : 'client'];
      one.socket.end('last words');
      await other.receives('last words');
      await eventually('the end arrives', () => other.ended);
      for (let n = 0; n < 5; n += 1) {
        other.write(`reply ${n}`);
        await one.receives(`reply ${n}`);
      }
      assert.equal(one.ended, false);
      assert.equal(open.site.inFlight(), 1);
      other.socket.end('farewell');
      assert.match(await one.rest(), /farewell$/);
      await open.site.idle();
      assert.deepEqual(await open.site.outcomes(), ['completed']);
    });

    it(`breaks off for the other side when the ${first} resets it`, async () => {
      await using open = await tunnel();
      const one = open[first];
      const other = open[first === 'client' ? 'backend' : 'client'];
      one.reset();
      await eventually('it is gone', () => gone(other));
      await open.site.idle();
    });

    it(`waits for the ${first} to read, and then loses nothing`, async () => {
      await using open = await tunnel();
      const reader = open[first];
      const writer = open[first === 'client' ? 'backend' : 'client'];
      reader.socket.pause();
      reader.received = '';
      const sender = new LongBodySender(writer.socket, LONG);
      sender.pour();
      let still = 0;
      let before = -1;
      await eventually('the writer is held back', () => {
        still = sender.sent === before ? still + 1 : 0;
        before = sender.sent;
        return still > 20;
      });
      assert.ok(sender.sent < LONG / 2, `${sender.sent / MIB} MiB were read ahead`);
      // Others use the same read buffer meanwhile.
      await open.site.exchange(requestText('GET /', [`X: ${'x'.repeat(15_000)}`]));
      reader.socket.resume();
      await eventually('all is there', () => reader.received.length >= LONG || reader.closed);
      const body = new LongBodyCheck();
      body.take(Buffer.from(reader.received, 'latin1'));
      assert.equal(body.received, LONG);
    });
  }

  it('of which one half has ended does not stay for a side that has vanished', async () => {
    await using open = await tunnel({ timeouts: { bodyIdle: 100 } });
    open.client.socket.end();
    await eventually('the backend hears of it', () => open.backend.ended);
    await open.site.idle(); // though the backend never ends its side
  });

  it('does not open for HTTP/2, in whatever company it is named', async () => {
    useEngine('wire');
    for (const protocol of ['h2c', 'echo, h2c', 'H2C']) {
      await using pair = await ProxySite.withRaw((connection) => {
        connection.socket.once('data', () => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
      });
      const fields = [
        'Connection: upgrade, http2-settings',
        `Upgrade: ${protocol}`,
        'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
      ];
      assert.equal(await pair.site.statusOf(requestText('GET /', [...fields, 'Connection: close'])), 200);
      assert.doesNotMatch(
        pair.backend.connections[0]?.received ?? '',
        /^(?:upgrade|http2-settings):|^connection:.*upgrade|: .*h2c\r$/im,
      );
    }
  });
});
