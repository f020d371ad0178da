import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { api, DEPLOYMENT, FakeManager, instance } from './fake-manager.ts';

const KEY = 'Idempotency-Key';

describe('a request with an Idempotency-Key', () => {
  it('is carried out once, and has the same answer each time', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    const send = () => request(app).post('/servers/add').set(KEY, '"k-1"').send({ count: 1 }).expect(201);
    const [first, again] = [await send(), await send()];
    assert.deepEqual([first.get('Idempotent-Replayed'), again.get('Idempotent-Replayed')], [undefined, 'true']);
    assert.equal(again.text, first.text);
    assert.deepEqual(
      ['content-type', 'location'].map((name) => again.headers[name]),
      ['content-type', 'location'].map((name) => first.headers[name]),
    );
    await request(app).post('/servers/add').set(KEY, 'k-1').send({ count: 1 }).expect(201); // quotes are no part of it
    assert.deepEqual([manager.calls.length, manager.audits.length], [1, 1]);
    await request(app).post('/servers/add').set(KEY, 'k-2').send({ count: 1 }).expect(201);
    assert.equal(manager.calls.length, 2);
  });

  it('is refused when the key was used for another one', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    await request(app).post('/servers/add').set(KEY, 'k').send({ count: 1 }).expect(201);
    const others = [
      request(app).post('/servers/add').set(KEY, 'k').send({ count: 2 }),
      request(app).post('/servers/add?wait=false').set(KEY, 'k').send({ count: 1 }),
      request(app).post('/services/web/pause').set(KEY, 'k'),
    ];
    for (const other of others) {
      const { body } = await other.expect(422);
      assert.equal(body.code, 'IDEMPOTENCY_KEY_REUSED');
    }
    assert.equal(manager.calls.length, 1);
  });

  it('waits for nobody: while the first is under way, the second is told so', async () => {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const manager = new FakeManager({
      add: async () => {
        begun.resolve();
        await gate.promise;
        return [instance(9000)];
      },
    });
    const app = api({ manager });
    const first = request(app).post('/servers/add').set(KEY, 'k').expect(201);
    const done = first.then(({ body }) => body.port);
    await begun.promise;
    const second = await request(app).post('/servers/add').set(KEY, 'k').expect(409);
    assert.equal(second.body.code, 'REQUEST_UNDER_WAY');
    assert.match(second.get('Retry-After') ?? '', /^\d+$/);
    manager.requestKeys.abandon();
    const third = await request(app).post('/servers/add').set(KEY, 'k').expect(409);
    assert.equal(third.body.code, 'OUTCOME_UNKNOWN');
    gate.resolve();
    assert.equal(await done, 9000);
  });

  it('may be sent again when nothing came of it, and has the same answer when something did', async () => {
    let times = 0;
    const fail = (code: 'NO_FREE_PORT' | 'INSTANCE_EXITED') => async () => {
      times += 1;
      throw new HeimdallError(code, 'no luck');
    };
    const full = api({ manager: new FakeManager({ add: fail('NO_FREE_PORT') }) });
    for (const _ of [1, 2]) await request(full).post('/servers/add').set(KEY, 'k').expect(503);
    assert.equal(times, 2);
    const bad = api();
    await request(bad).post('/servers/add').set(KEY, 'k').send({ count: 0 }).expect(400);
    await request(bad).post('/servers/add').set(KEY, 'k').send({ count: 1 }).expect(201);
    for (const _ of [1, 2]) {
      const { headers } = await request(bad).post('/alerts/test').set(KEY, 'test').expect(409); // there is no channel
      assert.equal(headers['idempotent-replayed'], undefined);
    }
    const manager = new FakeManager();
    const web = manager.services;
    Object.assign(web, {
      deploy: async (...[, , , terms]: Parameters<typeof web.deploy>) => {
        times += 1;
        const { release } = DEPLOYMENT;
        const settings = { name: 'web', instances: 1, algorithm: 'round-robin', maxConnections: null } as const;
        const before = { ...settings, weight: 1, paused: false, release: { ...release, env: [] } };
        terms?.changed(before, { ...before, release: { ...release, deployment: 4, env: [] } });
        throw new HeimdallError('DEPLOYMENT_FAILED', 'deployment 4 of web was rolled back');
      },
    });
    const app = api({ manager });
    const deploy = () => request(app).post('/services/web/deploy?wait=true').set(KEY, 'k').expect(502);
    await deploy();
    assert.equal((await deploy()).get('Idempotent-Replayed'), 'true');
    assert.equal(times, 3);
  });

  it('is not said to be under way any more when the registry went away in the middle of it', async () => {
    const manager = new FakeManager();
    const web = manager.services;
    Object.assign(web, {
      pause: async (...[, terms]: Parameters<typeof web.pause>) => {
        const { release } = DEPLOYMENT;
        const settings = { name: 'web', instances: 1, algorithm: 'round-robin', maxConnections: null } as const;
        const before = { ...settings, weight: 1, paused: false, release: { ...release, env: [] } };
        terms?.changed(before, { ...before, paused: true });
        throw new HeimdallError('REGISTRY_UNAVAILABLE', 'the registry is locked');
      },
    });
    const app = api({ manager });
    await request(app).post('/services/web/pause').set(KEY, 'k').expect(503);
    const { body } = await request(app).post('/services/web/pause').set(KEY, 'k').expect(409);
    assert.equal(body.code, 'OUTCOME_UNKNOWN');
  });

  it('has its answer kept as soon as the registry is there again', async () => {
    const manager = new FakeManager();
    const kept = Promise.withResolvers<void>();
    const { settle } = manager.requestKeys;
    let times = 0;
    manager.requestKeys.settle = async (...args) => {
      times += 1;
      if (times === 1) throw new HeimdallError('REGISTRY_UNAVAILABLE', 'the registry is locked');
      await settle.apply(manager.requestKeys, args);
      kept.resolve();
    };
    const app = api({ manager });
    await request(app).post('/servers/add').set(KEY, 'k').expect(201);
    await kept.promise;
    const again = await request(app).post('/servers/add').set(KEY, 'k').expect(201);
    assert.equal(again.get('Idempotent-Replayed'), 'true');
  });

  it('belongs to whoever has the token', async () => {
    const manager = new FakeManager();
    let token: string | undefined = 'first-token';
    const app = api({ manager, token: () => token });
    for (token of ['first-token', 'second-token', 'second-token']) {
      await request(app).post('/servers/add').set(KEY, 'k').auth(token, { type: 'bearer' }).expect(201);
    }
    assert.equal(manager.calls.length, 2);
  });

  it('needs a key of 1 to 255 printable characters', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    for (const key of ['""', 'k'.repeat(256), '"a\tb"']) {
      const { body } = await request(app).post('/servers/add').set(KEY, key).expect(400);
      assert.equal(body.errors[0].path, 'header.Idempotency-Key');
    }
    assert.deepEqual(manager.calls, []);
  });
});
