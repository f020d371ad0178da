import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';
import { EtcdCluster, etcdMissing } from '../support/etcd.ts';

const TOKEN = 'a-token-of-enough-length';
const HEADERS = { authorization: `Bearer ${TOKEN}` };

const InstanceSchema = z.object({ id: z.string(), node: z.string(), pid: z.int().nullable(), status: z.string() });
const NodeSchema = z.object({ name: z.string(), alive: z.boolean(), self: z.boolean() });
const AlertSchema = z.object({ key: z.string(), state: z.string() });

/** The managers of two nodes on one etcd; a is the one that is asked. */
class Site {
  readonly a: System;
  readonly b: System;

  private constructor(a: System, b: System) {
    this.a = a;
    this.b = b;
  }

  static async create(etcd: EtcdCluster): Promise<Site> {
    const { endpoints, prefix } = etcd.settings();
    const registry = { driver: 'etcd', etcd: { endpoints, prefix } };
    const systems = await Promise.all(
      ['a', 'b'].map((name) =>
        System.create(({ manager: port }) => ({
          registry,
          node: { name },
          manager: { port, token: TOKEN, url: `http://127.0.0.1:${port}` },
          services: [sampleService({ instances: 1 })],
        })),
      ),
    );
    const [a, b] = systems;
    assert.ok(a && b);
    return new Site(a, b);
  }

  async call<T>(schema: z.ZodType<T>, path: string, method = 'GET', body?: object): Promise<T> {
    const { status, body: text } = await ask(`${this.a.api}${path}`, { method, headers: HEADERS, body });
    assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
    return schema.parse(JSON.parse(text));
  }

  instances(): Promise<z.infer<typeof InstanceSchema>[]> {
    return this.call(z.array(InstanceSchema), '/servers/list');
  }

  /** How many run on each node. */
  async running(): Promise<string> {
    const running = (await this.instances()).filter(({ status }) => status === 'running');
    return ['a', 'b'].map((name) => running.filter(({ node }) => node === name).length).join(' + ');
  }

  async alerts(): Promise<z.infer<typeof AlertSchema>[]> {
    return (await this.call(z.array(AlertSchema), '/alerts')).filter(({ key }) => key.startsWith('node-away:'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.a[Symbol.asyncDispose](), this.b[Symbol.asyncDispose]()]);
  }
}

describe('managers of two nodes', { skip: etcdMissing() }, () => {
  let etcd: EtcdCluster;
  before(async () => {
    etcd = await EtcdCluster.start();
  });
  after(() => etcd.stop());

  it('do what either of them is asked, and one that dies comes back to its instances', async () => {
    await using site = await Site.create(etcd);
    const { a, b } = site;
    const managers = { a: a.start('server-manager'), b: b.start('server-manager', '--keep') };
    await Promise.all([managers.a.isReady(), managers.b.isReady()]);
    await eventually('one on each', async () => (await site.running()) === '1 + 1');

    const added = await site.call(InstanceSchema, '/servers/add?node=b', 'POST');
    assert.equal(added.node, 'b');
    const placed = await site.call(InstanceSchema, '/servers/add', 'POST', {});
    assert.equal(placed.node, 'a', 'that had fewer');

    const follows = fetch(`${a.api}/servers/${added.id}/logs?follow=true`, { headers: HEADERS });
    const removed = await site.call(InstanceSchema, `/servers/remove?id=${added.id}`, 'DELETE');
    assert.deepEqual([removed.node, removed.status], ['b', 'stopped']);
    assert.match(await (await follows).text(), /listens on[\s\S]*event: end/, 'to its end');

    const kept = (await site.instances()).find(({ node }) => node === 'b');
    managers.b.kill('SIGKILL');
    await eventually('b is away, and its instance with it', async () => (await site.running()) === '2 + 0');
    const nodes = await site.call(z.array(NodeSchema), '/nodes');
    assert.deepEqual(
      nodes.map(({ name, alive, self }) => [name, alive, self]),
      [
        ['a', true, true],
        ['b', false, false],
      ],
    );
    const away = await ask(`${a.api}/servers/add?node=b`, { method: 'POST', headers: HEADERS });
    assert.deepEqual([away.status, JSON.parse(away.body).code], [503, 'NODE_AWAY']);
    await eventually('the alert', async () => (await site.alerts())[0]?.state === 'active');

    managers.b = b.start('server-manager');
    await managers.b.isReady();
    await eventually('b is back', async () => (await site.running()) === '2 + 1');
    const adopted = (await site.instances()).find(({ node }) => node === 'b');
    assert.deepEqual([adopted?.id, adopted?.pid], [kept?.id, kept?.pid]);
    await eventually('the end of the alert', async () => (await site.alerts())[0]?.state === 'resolved');
    assert.equal((await site.alerts()).length, 1);

    await managers.a.stop();
    const left = await ask(`${b.api}/services/web/scale`, { method: 'POST', headers: HEADERS, body: { instances: 2 } });
    assert.equal(left.status, 200, left.body);
  });
});
