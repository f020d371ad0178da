import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { upstreamRenderer } from '../../../internal/sync/nginx/upstream-text.ts';
import { resolved } from '../../../internal/sync/resolved.ts';
import { server, service } from '../../support/synced.ts';

const render = upstreamRenderer(null, null);

describe('the upstream blocks', () => {
  it('have one line for each server, and IPv6 in brackets', () => {
    const servers = [
      server(80, { weight: 3 }),
      server(81, { host: 'fd00::1', state: 'down' }),
      server(82, { state: 'draining' }),
    ];
    assert.equal(
      render([service(servers, { algorithm: 'least-connections' })]),
      `# Written by "heimdall sync nginx": what is changed here by hand is lost.

upstream web {
    zone heimdall_web 128k;
    least_conn;
    server 10.0.0.7:80 weight=3 max_fails=1 fail_timeout=2s; # web-80
    server [fd00::1]:81 weight=1 max_fails=1 fail_timeout=2s down; # web-81
    server 10.0.0.7:82 weight=1 max_fails=1 fail_timeout=2s down; # web-82, drains
    keepalive 32;
}
`,
    );
  });

  it('are never empty', () => {
    assert.match(render([service([])]), /upstream web \{[^}]*server 127\.0\.0\.1:1 down;/);
  });

  it('name the last resort of a service where nobody is up, and say where nginx answers for it', () => {
    const withResort = upstreamRenderer(null, '127.0.0.1:8099');
    const text = withResort([
      service([server(80, { state: 'down' })], { isPaused: true }),
      service([], { name: 'api' }),
      service([server(81), server(82, { state: 'down' })], { name: 'shop' }),
    ]);
    const listeners = text.match(/^server \{[^}]*\}/gm) ?? [];
    assert.equal(listeners.length, 1);
    assert.match(listeners[0] ?? '', /listen 127\.0\.0\.1:8099;[^}]*Retry-After 1 always;\n {4}return 503 /);
    assert.match(text, /upstream web \{[^}]*paused[^}]*:80 [^}]* down;[^}]*server 127\.0\.0\.1:8099;/);
    assert.match(text, /upstream api \{[^}]*server 127\.0\.0\.1:8099;/);
    assert.doesNotMatch(/upstream shop \{[^}]*\}/.exec(text)?.[0] ?? '', /8099/);
    assert.doesNotMatch(text, /127\.0\.0\.1:1 /);
  });

  it('have zones that grow with the number of servers', () => {
    const servers = Array.from({ length: 300 }, (_, index) => server(1_000 + index));
    assert.match(render([service(servers)]), /zone heimdall_web 1024k;/);
  });

  for (const [algorithm, hashKey, method] of [
    ['random-two-choices', 'ip', 'random two least_conn;'],
    ['sticky-round-robin', 'ip', 'hash $remote_addr consistent;'],
    ['ip-url-hash', 'ip+url', 'hash $remote_addr$request_uri consistent;'],
    ['ip-url-hash', 'url', 'hash $request_uri consistent;'],
    ['ip-url-hash', 'header:X-User-Id', 'hash $http_x_user_id consistent;'],
    ['ip-url-hash', 'cookie:Session', 'hash $cookie_Session consistent;'],
    ['ip-url-hash', "cookie:a'b", 'hash $remote_addr$request_uri consistent;'],
  ] as const) {
    it(`balance by "${method}" for ${algorithm} of ${hashKey}`, () => {
      assert.ok(render([service([server(80)], { algorithm, hashKey })]).includes(`    ${method}\n`));
    });
  }

  it('take another form from a template', () => {
    const own = upstreamRenderer(
      '{{#services}}\n{{service}}:{{#servers}} {{host}}|{{port}}{{#draining}}!{{/draining}}{{/servers}}\n{{/services}}',
      null,
    );
    assert.equal(own([service([server(80), server(81, { state: 'draining' })])]), 'web: 10.0.0.7|80 10.0.0.7|81!\n');
  });

  // An agent announces a host that ends the line, the block or the comment in which it stands,
  // and so would write nginx's configuration.
  it('never have a host or an id that could be more than a word', async () => {
    const evil = ['a;}', 'x\ninclude /etc/passwd;', '$(id)', 'a b', '-x', '', 'fe80::1%eth0;'].map((host, index) =>
      server(90 + index, { host, id: `${host}\nserver evil;` }),
    );
    const { services, warnings } = await resolved([service([...evil, server(80)])], new Map());
    assert.deepEqual(
      services[0]?.servers.map(({ port }) => port),
      [80],
    );
    assert.equal(warnings.length, evil.length);
    const text = render([service([server(80, { id: 'a\nserver evil; # }' })])]);
    assert.match(text, /; # a_server_evil__#__\n/);
  });

  it('leave out a name that has no address: nginx would refuse all of its configuration', async () => {
    const { services, warnings } = await resolved([service([server(80, { host: 'nowhere.invalid' })])], new Map());
    assert.deepEqual(services[0]?.servers, []);
    assert.match(warnings[0] ?? '', /^web-80 is left out: .*nowhere\.invalid/);
  });

  it('have the last address of a name that cannot be looked up any more', async () => {
    const names = new Map([['nowhere.invalid', ['10.0.0.9']]]);
    const { services, warnings } = await resolved([service([server(80, { host: 'nowhere.invalid' })])], names);
    assert.match(render(services), /server 10\.0\.0\.9:80 weight=1 [^\n]* # web-80\n/);
    assert.match(warnings[0] ?? '', /^web-80 goes on as 10\.0\.0\.9: .*nowhere\.invalid/);
  });
});
