import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import { Load } from '../support/e2e-load.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

const ServiceSchema = z.object({ desired: z.int(), algorithm: z.string(), release: z.object({ version: z.string() }) });
const DeploymentsSchema = z.array(z.object({ id: z.int(), state: z.string() }));
const EventsSchema = z.array(z.object({ type: z.string(), message: z.string() }));

const FindingsSchema = z.object({ findings: z.array(z.object({ level: z.string(), message: z.string() })) });

async function read<S extends z.ZodType>(url: string, schema: S): Promise<z.output<S>> {
  return schema.parse(JSON.parse((await ask(url)).body));
}

describe('heimdall backup, doctor and restore', () => {
  it('brings back what was wanted, deployed and recorded, after everything was killed and the data are gone', async () => {
    const service = sampleService({ instances: 1, rollout: { minHealthy: '50ms' } });
    await using system = await System.create(() => ({ proxy: { threads: 1 }, services: [service] }));
    const { manager, loadBalancer } = await system.startBoth(1);
    const deploy = { method: 'POST', body: { version: '2.0' } };
    assert.equal((await ask(`${system.api}/services/web/deploy?wait=true`, deploy)).status, 200);
    const change = { method: 'PATCH', body: { algorithm: 'least-connections', instances: 2 } };
    assert.equal((await ask(`${system.api}/services/web`, change)).status, 200);
    await system.inRotation(2);
    const wanted = await read(`${system.api}/services/web`, ServiceSchema);
    assert.deepEqual(wanted, { desired: 2, algorithm: 'least-connections', release: { version: '2.0' } });
    const known = await read(`${system.api}/events?limit=500`, EventsSchema);

    const load = new Load(system.proxy, 2);
    const backup = system.heimdall('backup', 'copy.db');
    assert.deepEqual(await backup.exited, { code: 0, signal: null }, backup.output);
    await load.stop();
    assert.deepEqual(load.failures, []);
    const refused = system.heimdall('restore', 'copy.db', '--json');
    assert.deepEqual(await refused.exited, { code: 1, signal: null });
    assert.match(refused.output, /"error":"process \d+ has the registry .* open\. Stop heimdall first\."/);

    const pids = (await system.list()).map(({ pid }) => pid ?? 0);
    for (const started of [manager, loadBalancer]) started.kill('SIGKILL');
    await Promise.all([manager.exited, loadBalancer.exited]);
    const doctor = system.heimdall('doctor', '--json');
    assert.deepEqual(await doctor.exited, { code: 0, signal: null }, doctor.output);
    const { findings } = FindingsSchema.parse(JSON.parse(doctor.output));
    const said = findings.filter(({ level }) => level !== 'well').map(({ message }) => message);
    assert.ok(said.includes('2 instances run without a manager'), doctor.output);
    for (const pid of pids) process.kill(-pid, 'SIGKILL');
    await rm(dirname(system.registryPath), { recursive: true });

    const restore = system.heimdall('restore', join(system.dir, 'copy.db'));
    assert.deepEqual(await restore.exited, { code: 0, signal: null }, restore.output);
    assert.match(restore.output, /restored; revision \d+; 1 service, 2 instances, 1 deployment, /);

    await system.start('server-manager').isReady();
    const isThere = async () => (await system.list()).filter(({ status }) => status === 'running').length === 2;
    await eventually('both instances run again', isThere);
    assert.deepEqual(await read(`${system.api}/services/web`, ServiceSchema), wanted);
    assert.deepEqual(await read(`${system.api}/deployments`, DeploymentsSchema), [{ id: 1, state: 'succeeded' }]);
    const events = await read(`${system.api}/events?limit=500`, EventsSchema);
    const at = events.findIndex(({ type }) => type === 'registry.restored');
    assert.deepEqual(events.slice(at + 1), known);
  });
});
