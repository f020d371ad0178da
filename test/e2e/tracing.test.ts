import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import { mainOf, StartedProcess } from '../support/e2e-process.ts';
import { System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { sampleBackend } from '../support/proxy-site.ts';

const TELL_LOADS = join(import.meta.dirname, '../support/tell-loads.ts');
const SeenSchema = z.object({ rawHeaders: z.array(z.string()) });

describe('a running load balancer', () => {
  it('loads OpenTelemetry when it is told to trace, counts what it exports, and leaves no span behind', async (test) => {
    await using receiver = await OtlpReceiver.open();
    const backend = await sampleBackend('one');
    test.after(() => backend.stop());
    const services = [{ name: 'web', servers: [new URL(backend.url).host] }];
    await using system = await System.create(() => ({ services, proxy: { threads: 2 } }));
    const { ports, dir, configPath } = system;
    const command = [
      process.execPath,
      '--import',
      TELL_LOADS,
      mainOf('load-balancer'),
      '--config',
      configPath,
    ] as const;
    const loadBalancer = system.track(new StartedProcess([...command], { cwd: dir }));
    await loadBalancer.isReady();
    const isTold = async () => {
      const { rawHeaders } = SeenSchema.parse(JSON.parse((await system.get('/headers')).body));
      return rawHeaders.includes('traceparent');
    };
    assert.equal(await isTold(), false);
    assert.equal(loadBalancer.output.includes('loads @opentelemetry'), false);

    const proxy = {
      host: '127.0.0.1',
      port: ports.proxy,
      admin: { port: ports.admin },
      threads: 2,
    };
    await system.configure({ proxy: { ...proxy, accessLog: null, tracing: { endpoint: receiver.endpoint } } });
    await eventually('tracing is on', isTold);
    await loadBalancer.printed('loads @opentelemetry/sdk-trace');
    await eventually('spans are counted', async () => {
      return /^heimdall_spans_total\{result="exported"\} [1-9]/m.test((await ask(`${system.admin}/metrics`)).body);
    });

    await system.get('/last');
    await loadBalancer.stop();
    const paths = receiver.spans.map(({ attributes }) => attributes['url.path']);
    assert.equal(paths.filter((path) => path === '/last').length, 1);
  });
});
