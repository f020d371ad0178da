import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeEngines } from '../support/engines.ts';
import {
  closedPort,
  eventually,
  onHeads,
  parseMessage,
  RawBackend,
  type RawConnection,
  requestText,
} from '../support/proxy-raw.ts';
import { ProxySite, type SiteOptions } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

type Serve = (connection: RawConnection, index: number) => void;
const answering: Serve = (connection) => onHeads(connection, () => connection.write(OK));
const resetting: Serve = (connection) => connection.socket.once('data', () => connection.reset());

/** A site in front of several raw backends, tried in their order. */
async function siteOf(serves: readonly Serve[], options: SiteOptions = {}) {
  const backends = await Promise.all(serves.map((serve) => RawBackend.start(serve)));
  const site = await ProxySite.open(
    backends.map(({ port }) => port),
    options,
  );
  for (const backend of backends) site.own(backend);
  return { site, backends, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

describeEngines('a failed connect', () => {
  it('is made up for on another upstream, for any method, and counts at once', async () => {
    for (const [line, fields, body] of [
      ['GET /', [], ''],
      ['POST /', ['Content-Length: 5'], 'hello'],
      ['PATCH /', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'],
    ] as const) {
      const backend = await RawBackend.start((connection) => {
        connection.socket.on('data', () => {
          if (connection.received.endsWith(`\r\n\r\n${body}`)) connection.write(OK);
        });
      });
      await using site = await ProxySite.open([await closedPort(), backend.port]);
      site.own(backend);
      assert.equal(await site.statusOf(requestText(line, fields, body)), 200);
      assert.deepEqual(await site.outcomes(), ['connect-failed', 'completed']);
    }
  });

  it('costs no upload its body, however large, because nothing was read of it', async () => {
    const length = 1_000_000;
    const backend = await RawBackend.start((connection) => {
      connection.socket.on('data', () => {
        if (connection.received.endsWith('the end')) connection.write(OK);
      });
    });
    await using site = await ProxySite.open([await closedPort(), backend.port]);
    site.own(backend);
    const text = requestText('POST /', [`Content-Length: ${length}`], 'the end'.padStart(length));
    assert.equal(await site.statusOf(text), 200);
    assert.deepEqual(await site.outcomes(), ['connect-failed', 'completed']);
  });

  it('is given up after the configured attempts, with 502', async () => {
    const ports = await Promise.all([closedPort(), closedPort(), closedPort(), closedPort()]);
    await using site = await ProxySite.open(ports, { retries: { attempts: 2 } });
    assert.equal(await site.statusOf(requestText('GET /')), 502);
    assert.deepEqual(await site.outcomes(), ['connect-failed', 'connect-failed', 'connect-failed']);
    const upstreams = (await site.record()).attempts.map(({ upstream }) => upstream);
    assert.equal(new Set(upstreams).size, 3, 'an upstream was tried twice');
  });

  it('is not made up for once the budget is spent', async () => {
    const backend = await RawBackend.answering(OK);
    const options = { retries: { budget: 0 }, now: () => 0 };
    await using site = await ProxySite.open([await closedPort(), backend.port], options);
    site.own(backend);
    const client = await site.client();
    const statuses: number[] = [];
    while (statuses.at(-1) !== 502 && statuses.length < 200) {
      const before = client.received.length;
      client.write(requestText('GET /', ['Connection: keep-alive']));
      await eventually('the answer', () => /\r\n\r\n(ok|502[\s\S]*\n)$/.test(client.received.slice(before)));
      statuses.push(parseMessage(client.received.slice(before)).status);
    }
    assert.equal(statuses.length, 101, 'a hundred retries in ten seconds are free');
  });

  it('of every upstream, with many of them, leaves no listener behind', async () => {
    const ports = await Promise.all(Array.from({ length: 15 }, () => closedPort()));
    await using site = await ProxySite.open(ports, { retries: { attempts: 14 } });
    const text = requestText('POST /', ['Content-Length: 5'], 'hello');
    assert.equal(await site.statusOf(text), 502);
    assert.equal((await site.outcomes()).length, 15);
  });
});

describeEngines('a connection that breaks before the response head', () => {
  it('is made up for where a repetition does no harm', async () => {
    for (const [line, fields, body] of [
      ['GET /', [], ''],
      ['PUT /', ['Content-Length: 5'], 'hello'],
      ['POST /', ['Content-Length: 5', 'Idempotency-Key: 1'], 'hello'],
    ] as const) {
      await using pair = await siteOf([
        resetting,
        (connection) => {
          connection.socket.on('data', () => {
            if (connection.received.endsWith(`\r\n\r\n${body}`)) connection.write(OK);
          });
        },
      ]);
      assert.equal(await pair.site.statusOf(requestText(line, fields, body)), 200, line);
      assert.deepEqual(await pair.site.outcomes(), ['reset', 'completed']);
    }
  });

  it('ends a POST with 502, and no other upstream sees it', async () => {
    await using pair = await siteOf([resetting, answering]);
    assert.equal(await pair.site.statusOf(requestText('POST /', ['Content-Length: 5'], 'hello')), 502);
    assert.deepEqual(await pair.site.outcomes(), ['reset']);
    assert.equal(pair.backends[1]?.connections.length, 0);
  });

  it('ends a PUT whose body was too large to keep with 502', async () => {
    const length = 500_000;
    const late: Serve = (connection) => {
      connection.socket.on('data', () => {
        if (connection.received.length > length) connection.reset();
      });
    };
    await using pair = await siteOf([late, answering]);
    const text = requestText('PUT /', [`Content-Length: ${length}`], 'x'.repeat(length));
    assert.equal(await pair.site.statusOf(text), 502);
    assert.deepEqual(await pair.site.outcomes(), ['reset']);
  });

  it('in an orderly way is a break too', async () => {
    await using pair = await siteOf([
      (connection) => connection.socket.once('data', () => connection.socket.end()),
      answering,
    ]);
    assert.equal(await pair.site.statusOf(requestText('GET /')), 200);
    assert.deepEqual(await pair.site.outcomes(), ['reset', 'completed']);
  });
});

describeEngines('an idle connection that the backend closes', () => {
  /** Answers the first request of every connection and breaks it at the second. */
  const once: Serve = (connection) => {
    onHeads(connection, (_head, index) => {
      if (index === 0) connection.write(OK);
      else connection.reset();
    });
  };

  it('never fails a GET, though there is no other upstream, and is no fault of the upstream', async () => {
    await using pair = await siteOf([once], { retries: { attempts: 0 } });
    for (let i = 0; i < 6; i += 1) assert.equal(await pair.site.statusOf(requestText('GET /')), 200);
    assert.deepEqual(await pair.site.outcomes(5), ['completed']);
    assert.equal(pair.site.upstreams()[0]?.failures, 0);
  });

  it('never fails a GET when many of them are stale at once', async () => {
    await using pair = await siteOf([once], { retries: { attempts: 0 } });
    const burst = () => Promise.all(Array.from({ length: 20 }, () => pair.site.statusOf(requestText('GET /'))));
    for (let i = 0; i < 3; i += 1) assert.deepEqual(new Set(await burst()), new Set([200]));
  });

  it('never fails a PUT, whose body is sent again', async () => {
    await using pair = await siteOf([
      (connection, index) => {
        connection.socket.on('data', () => {
          const count = connection.received.split('hello').length - 1;
          if (count === 2 && index === 0) connection.reset();
          else if (count > 0) connection.write(OK);
        });
      },
    ]);
    const put = requestText('PUT /', ['Content-Length: 5'], 'hello');
    for (let i = 0; i < 2; i += 1) assert.equal(await pair.site.statusOf(put), 200);
    assert.equal(pair.backends[0]?.connections.length, 2);
  });

  it('fails a POST rather than to risk that it is done twice', async () => {
    await using pair = await siteOf([once]);
    const post = requestText('POST /', ['Content-Length: 0']);
    assert.deepEqual([await pair.site.statusOf(post), await pair.site.statusOf(post)], [200, 502]);
  });

  it('is not the same as one that answers nonsense: such a request is not sent again', async () => {
    await using pair = await siteOf(
      [
        (connection) =>
          onHeads(connection, (_head, index) =>
            connection.write(index === 0 ? OK : 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'),
          ),
      ],
      { retries: { attempts: 0 } },
    );
    const get = requestText('GET /');
    assert.deepEqual([await pair.site.statusOf(get), await pair.site.statusOf(get)], [200, 502]);
    assert.equal(pair.backends[0]?.connections.length, 1);
  });

  it('is not used when its end was heard of in time', async () => {
    await using pair = await siteOf([
      (connection) => {
        onHeads(connection, () => {
          connection.write(OK);
          setTimeout(() => connection.socket.end(), 5);
        });
      },
    ]);
    for (let i = 0; i < 3; i += 1) {
      assert.equal(await pair.site.statusOf(requestText('POST /', ['Content-Length: 0'])), 200);
      const connection = await pair.backends[0]!.connection(i);
      await connection.rest();
    }
  });
});

describeEngines('an upstream that is too slow', () => {
  it('with its head ends in 504, without another try', async () => {
    await using site = await ProxySite.withBackends(2, { timeouts: { responseHead: 100 } });
    assert.equal(await site.statusOf(requestText('GET /hang')), 504);
    assert.deepEqual(await site.outcomes(), ['head-timeout']);
  });

  it('is measured from the end of the upload, however long that takes', async () => {
    await using site = await ProxySite.withBackends(1, { timeouts: { responseHead: 500 } });
    const client = await site.client(requestText('POST /upload', ['Content-Length: 4'], 'x'));
    for (let i = 0; i < 3; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      client.write('x');
    }
    assert.equal(parseMessage(await client.rest()).status, 200);
  });

  it('to take the request ends in 504', async () => {
    await using pair = await siteOf([({ socket }) => socket.pause()], { timeouts: { streamIdle: 200 } });
    const text = requestText('POST /', ['Content-Length: 30000000']);
    const client = await pair.site.client(text);
    client.write('x'.repeat(30_000_000));
    await client.receives('\r\n\r\n');
    assert.equal(parseMessage(client.received).status, 504);
    assert.deepEqual(await pair.site.outcomes(), ['head-timeout']);
  });

  it('with its body breaks the response, and the upstream is to blame', async () => {
    await using site = await ProxySite.withBackends(1, { timeouts: { streamIdle: 100 } });
    const client = await site.client(requestText('GET /stream?count=2&every=100000'));
    await eventually('the client is cut off', () => client.ended || client.closed);
    assert.doesNotMatch(client.received, /0\r\n\r\n$/);
    assert.deepEqual(await site.outcomes(), ['truncated']);
  });

  it('is not to blame when it is the client who does not read', async () => {
    await using site = await ProxySite.withBackends(1, { timeouts: { streamIdle: 1_000 } });
    const client = await site.client(requestText('GET /download?bytes=100000000'));
    await client.receives('\r\n\r\n');
    client.socket.pause();
    assert.deepEqual(await site.outcomes(), ['client-closed']);
    assert.equal(site.upstreams()[0]?.failures, 0);
  });
});
