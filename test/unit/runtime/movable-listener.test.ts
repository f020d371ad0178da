import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { type Address, MovableListener, type OpenListener } from '../../../cmd/runtime/movable-listener.ts';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { listenError } from '../../../internal/model/listen-error.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { freeRange } from '../../support/server-fixture.ts';

const log = createLogger({ name: 'test', level: 'silent', pretty: false });
const CLOSE_MS = 5_000;

/** A machine of which `broken` addresses cannot be bound; writes down what happens, in order. */
class FakeNetwork {
  readonly steps: string[] = [];
  readonly #broken: Map<string, Error>;
  readonly #bound = new Set<string>();

  constructor(broken: Readonly<Record<string, Error>> = {}) {
    this.#broken = new Map(Object.entries(broken));
  }

  readonly open = async ({ host, port }: Address): Promise<OpenListener> => {
    const name = `${host}:${port}`;
    this.steps.push(`open ${name}`);
    const inTheWay = [...this.#bound].some((other) => clash(other, name));
    if (inTheWay) throw new HeimdallError('PORT_TAKEN', `${name} is in use`);
    const fault = this.#broken.get(name);
    if (fault) throw fault;
    this.#bound.add(name);
    return {
      port,
      close: async (deadlineMs) => {
        if (!this.#bound.delete(name)) return;
        this.steps.push(`close ${name} within ${deadlineMs}`);
      },
      retire: async (deadlineMs) => {
        this.#bound.delete(name);
        this.steps.push(`retire ${name} within ${deadlineMs}`);
      },
      sockets: async () => [port],
    };
  };

  get bound(): string[] {
    return [...this.#bound];
  }

  mend(name: string): void {
    this.#broken.delete(name);
  }

  break(name: string, error: Error): void {
    this.#broken.set(name, error);
  }
}

/** As the system judges: the same port, and the same host or a wildcard. */
function clash(a: string, b: string): boolean {
  const [hostA, portA] = a.split(':');
  const [hostB, portB] = b.split(':');
  return portA === portB && (hostA === hostB || hostA === '0.0.0.0' || hostB === '0.0.0.0');
}

async function opened(network: FakeNetwork, host: string, port = 8080): Promise<MovableListener> {
  const listener = await MovableListener.open(network.open, { host, port }, CLOSE_MS, log);
  network.steps.length = 0;
  return listener;
}

const TAKEN = new HeimdallError('PORT_TAKEN', 'another program is there');

describe('a listener that moves', () => {
  it('binds the new address before it gives up the old one', async () => {
    const network = new FakeNetwork();
    const listener = await opened(network, '127.0.0.1');
    await listener.move({ host: '127.0.0.1', port: 8090 });
    assert.deepEqual(network.steps, ['open 127.0.0.1:8090', 'close 127.0.0.1:8080 within 5000']);
    assert.equal(listener.port, 8090);
  });

  it('does not bind an unchanged address again', async () => {
    const network = new FakeNetwork();
    const listener = await opened(network, '127.0.0.1');
    await listener.move({ host: '127.0.0.1', port: 8080 });
    assert.deepEqual(network.steps, []);
  });

  it('keeps the old address, untouched, when the new one cannot be bound', async () => {
    const network = new FakeNetwork({ '127.0.0.1:8090': TAKEN });
    const listener = await opened(network, '127.0.0.1');
    await assert.rejects(listener.move({ host: '127.0.0.1', port: 8090 }), TAKEN);
    assert.deepEqual(network.steps, ['open 127.0.0.1:8090']);
    assert.equal(listener.port, 8080);
    await listener.move({ host: '127.0.0.1', port: 8091 });
    assert.deepEqual(network.bound, ['127.0.0.1:8091']);
  });

  it('waits at the end for the listeners that it has left', async () => {
    const { promise: lastConnection, resolve: end } = Promise.withResolvers<void>();
    const open = async ({ port }: Address) => ({
      port,
      close: () => (port === 1 ? lastConnection : Promise.resolve()),
      retire: async () => {},
      sockets: async () => [],
    });
    const listener = await MovableListener.open(open, { host: 'a', port: 1 }, CLOSE_MS, log);
    await listener.move({ host: 'a', port: 2 });
    let closed = false;
    const closing = listener.close().then(() => (closed = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(closed, false);
    end();
    await closing;
  });
});

describe('a listener that changes its host and keeps its port', () => {
  it('gives up the old address first when the two are in each other’s way', async () => {
    const network = new FakeNetwork();
    const listener = await opened(network, '0.0.0.0');
    await listener.move({ host: '127.0.0.1', port: 8080 });
    assert.deepEqual(network.bound, ['127.0.0.1:8080']);
    await listener.move({ host: '0.0.0.0', port: 8080 });
    assert.deepEqual(network.bound, ['0.0.0.0:8080']);
  });

  it('keeps to the usual order when they are not', async () => {
    const network = new FakeNetwork();
    const listener = await opened(network, '127.0.0.1');
    await listener.move({ host: '127.0.0.2', port: 8080 });
    assert.deepEqual(network.steps, ['open 127.0.0.2:8080', 'close 127.0.0.1:8080 within 5000']);
  });

  it('comes back to the old address when the new one cannot be bound', async () => {
    const network = new FakeNetwork({ '127.0.0.1:8080': TAKEN });
    const listener = await opened(network, '0.0.0.0');
    await assert.rejects(listener.move({ host: '127.0.0.1', port: 8080 }), TAKEN);
    assert.deepEqual(network.bound, ['0.0.0.0:8080']);
    await listener.close();
    assert.deepEqual(network.bound, []);
  });

  it('does not give up the old address for one that fails in another way', async () => {
    const foreign = new HeimdallError('ADDRESS_UNUSABLE', 'not an address of this machine');
    const network = new FakeNetwork({ '10.0.0.1:8080': foreign });
    const listener = await opened(network, '127.0.0.1');
    await assert.rejects(listener.move({ host: '10.0.0.1', port: 8080 }), foreign);
    assert.deepEqual(network.steps, ['open 10.0.0.1:8080']);
  });

  it('can still move and close when not even the old address can be bound any more', async () => {
    const network = new FakeNetwork({ '127.0.0.1:8080': TAKEN });
    const listener = await opened(network, '0.0.0.0');
    network.break('0.0.0.0:8080', new HeimdallError('PORT_TAKEN', 'somebody was faster'));
    await assert.rejects(listener.move({ host: '127.0.0.1', port: 8080 }), TAKEN);
    assert.deepEqual(network.bound, []);
    await listener.move({ host: '127.0.0.1', port: 8090 });
    assert.deepEqual(network.bound, ['127.0.0.1:8090']);
    await listener.close();
    assert.deepEqual(network.bound, []);
  });

  it('takes up the old address as soon as it can be bound again', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const network = new FakeNetwork({ '127.0.0.1:8080': TAKEN });
    const listener = await opened(network, '0.0.0.0');
    network.break('0.0.0.0:8080', TAKEN);
    await assert.rejects(listener.move({ host: '127.0.0.1', port: 8080 }), TAKEN);
    const aSecond = async () => {
      t.mock.timers.tick(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    };
    await aSecond();
    assert.deepEqual(network.bound, []);
    network.mend('0.0.0.0:8080');
    await aSecond();
    assert.deepEqual(network.bound, ['0.0.0.0:8080']);
    network.steps.length = 0;
    await aSecond();
    assert.deepEqual(network.steps, []);
    await listener.close();
    assert.deepEqual(network.bound, []);
  });

  it('does all that on real sockets, and lets running connections finish', async () => {
    const port = await freeRange(1);
    const listener = await MovableListener.open(listenForReal, { host: '0.0.0.0', port }, CLOSE_MS, log);
    const client = connect(port, '127.0.0.1');
    try {
      await once(client, 'connect');
      await listener.move({ host: '127.0.0.1', port });
      client.write('still there?');
      assert.equal(String((await once(client, 'data'))[0]), 'still there?');
      await listener.move({ host: '0.0.0.0', port });
      assert.equal(listener.port, port);
    } finally {
      client.destroy();
      await listener.close();
    }
  });
});

/** Says back what it hears. */
async function listenForReal({ host, port }: Address): Promise<OpenListener> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, host, port, { key: 'test' });
  }
  return { port, close: async () => void server.close(), retire: async () => {}, sockets: async () => [] };
}
