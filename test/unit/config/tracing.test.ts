import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkConfig } from '../../../internal/config/load.ts';
import { ConfigError } from '../../../internal/config/problem.ts';
import { TracingSchema } from '../../../internal/config/tracing.ts';

const endpoint = 'http://127.0.0.1:4318/v1/traces';

/** What is wrong with the section, one line each. */
function faults(tracing: unknown, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    checkConfig({ proxy: { tracing } }, { env, cwd: '/' });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(
      ({ path, message, value }) => `${path}: ${message}${value === undefined ? '' : ` ${value}`}`,
    );
  }
}

describe('proxy.tracing', () => {
  it('needs an endpoint, and fills in the rest', () => {
    assert.deepEqual(TracingSchema.parse({ endpoint }), {
      endpoint,
      headers: {},
      sampleRatio: 1,
      serviceName: 'heimdall',
      attributes: {},
      timeout: 10_000,
    });
    assert.match(faults({})[0] ?? '', /^proxy\.tracing\.endpoint: /);
    assert.deepEqual(faults(null), []);
  });

  it('takes secrets from the environment, and shows none', () => {
    const tracing = { endpoint, headers: { 'x-key': '${TRACING_KEY}' } };
    const { config } = checkConfig({ proxy: { tracing } }, { env: { TRACING_KEY: 'k' }, cwd: '/' });
    assert.equal(config.proxy.tracing?.headers['x-key'], 'k');
    assert.deepEqual(faults({ endpoint, headers: { 'x-key': 'a\nsecret' } }), [
      'proxy.tracing.headers["x-key"]: not a header value',
    ]);
  });

  it('says of what it refuses where it is, and what to write instead', () => {
    const url = 'expected an http:// or https:// URL, such as "http://127.0.0.1:4318/v1/traces"';
    const refused: readonly (readonly [Record<string, unknown>, string])[] = [
      [{ endpoint: 'collector:4317' }, `proxy.tracing.endpoint: ${url}`],
      [
        { endpoint: 'http://collector:4318' },
        'proxy.tracing.endpoint: expected the whole URL: most receivers take traces at "/v1/traces"',
      ],
      [
        { endpoint: 'http://u:p@collector/v1/traces' },
        'proxy.tracing.endpoint: expected no user and password in the URL; use "headers"',
      ],
      [{ endpoint, sampleRatio: 2 }, 'proxy.tracing.sampleRatio: expected a share from 0 to 1 2'],
      [{ endpoint, sampleRatio: '1%' }, 'proxy.tracing.sampleRatio: expected a share from 0 to 1 "1%"'],
      [{ endpoint, timeout: '5m' }, 'proxy.tracing.timeout: expected at most "60s" "5m"'],
      [
        { endpoint, headers: { 'Content-Type': 'x' } },
        'proxy.tracing.headers["Content-Type"]: this header is set by heimdall',
      ],
      [{ endpoint, serviceName: '' }, 'proxy.tracing.serviceName: expected text of 1 to 255 characters ""'],
      [{ endpoint, attributes: { a: 1 } }, 'proxy.tracing.attributes.a: expected text of 1 to 255 characters 1'],
      [
        { endpoint, attributes: { 'service.name': 'x' } },
        'proxy.tracing.attributes["service.name"]: is set by heimdall; for the name there is "serviceName" "x"',
      ],
    ];
    for (const [tracing, fault] of refused) assert.deepEqual(faults(tracing), [fault]);
  });
});
