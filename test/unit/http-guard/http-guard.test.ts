import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type GuardSettings, refusalOf } from '../../../pkg/http-guard/http-guard.ts';

const OPEN: GuardSettings = { allowedHosts: [], allowedHostsKey: 'manager.allowedHosts', token: undefined };
const LOCKED: GuardSettings = { ...OPEN, token: 'sesame' };

let settings = OPEN;
// Other parsers in front of it let through what Node's own server refuses.
const server = createServer({ requireHostHeader: false }, (incoming, response) => {
  response.end(JSON.stringify(refusalOf(incoming, settings)));
});

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(() => server.close());

/** The verdict about a request with exactly these fields, names and values in turn. */
async function verdict(fields: readonly string[], under: GuardSettings = OPEN, target = '/') {
  settings = under;
  const { port } = server.address() as AddressInfo;
  const outgoing = request({ port, host: '127.0.0.1', path: target, headers: fields, setHost: false, agent: false });
  outgoing.end();
  const [response]: IncomingMessage[] = await once(outgoing, 'response');
  assert.ok(response);
  return JSON.parse(await text(response));
}

async function kindOf(fields: readonly string[], under?: GuardSettings): Promise<string | undefined> {
  return (await verdict(fields, under))?.kind;
}

const authorized = (value: string) => verdict(['Host', 'localhost', 'Authorization', value], LOCKED);

describe('the Host check', () => {
  // A page on evil.example points its name at 127.0.0.1 once it is loaded (DNS rebinding):
  // the browser then takes us for the page's own origin, but still sends the page's name.
  it('refuses a name that is not ours', async () => {
    for (const host of [
      'evil.example',
      'evil.example:7000',
      '127.0.0.1.evil.example',
      '127.evil.example:7000',
      'localhost.evil.example',
      'localhost@evil.example',
      'evil.example#localhost',
      '10.0.0.1:7000',
      '[::2]:7000',
      '0.0.0.0:7000',
      'localhost:7000, evil.example',
      'localhost:',
      '',
    ]) {
      assert.equal(await kindOf(['Host', host]), 'host', host);
    }
  });

  it('tells where more names can be allowed', async () => {
    const { status, detail } = await verdict(['Host', 'evil.example'], { ...OPEN, allowedHostsKey: 'some.key' });
    assert.equal(status, 403);
    assert.match(detail, /some\.key/);
  });

  it('lets loopback names and addresses through with any port', async () => {
    for (const host of ['localhost', 'LOCALHOST:7000', '127.0.0.1:7000', '127.8.9.1', '[::1]:7000', '[::1]']) {
      assert.equal(await verdict(['Host', host]), null, host);
    }
  });

  it('lets the allowed names through, and no others that contain them', async () => {
    const under = { ...OPEN, allowedHosts: ['Ops.example', '10.0.0.5', 'fd00::1'] };
    for (const host of ['ops.example:7000', 'OPS.example', '10.0.0.5', '[fd00::1]:7000']) {
      assert.equal(await verdict(['Host', host], under), null, host);
    }
    assert.equal(await kindOf(['Host', 'www.ops.example'], under), 'host');
    assert.equal(await kindOf(['Host', 'ops.example.evil'], under), 'host');
  });

  // Two Host fields: the check reads one, something behind or before it the other.
  // node:http keeps the first and hides the second.
  it('refuses two Host fields, whatever their order and case', async () => {
    assert.equal(await kindOf(['Host', 'localhost', 'Host', 'evil.example']), 'host');
    assert.equal(await kindOf(['HOST', 'evil.example', 'host', 'localhost']), 'host');
    assert.equal(await kindOf(['Host', 'localhost', 'Host', 'localhost']), 'host');
  });

  // HTTP/1.0 needs no Host, so parsers let such a request in:
  // a check that skips what is missing would be passed by leaving it out.
  it('refuses a request without Host', async () => {
    assert.equal(await kindOf(['Accept', '*/*']), 'host');
  });
});

describe('the Origin check', () => {
  // A page on evil.example posts to http://localhost:7000/servers/add from its visitor's browser (CSRF):
  // the Host is ours, the Origin is not.
  it('refuses a page of another origin', async () => {
    for (const origin of [
      'https://evil.example',
      'http://localhost:8080',
      'http://localhost:70000',
      'http://localhost:7000.evil.example',
      'null',
      '',
      'localhost:7000',
      'http://localhost:7000, https://evil.example',
    ]) {
      assert.equal(await kindOf(['Host', 'localhost:7000', 'Origin', origin]), 'origin', origin);
    }
  });

  // <img src="http://localhost:7000/…"> on evil.example sends no Origin,
  // but browsers tell that the page is a stranger.
  it('refuses what a browser marks as cross-site', async () => {
    assert.equal(await kindOf(['Host', 'localhost', 'Sec-Fetch-Site', 'cross-site']), 'origin');
  });

  it('lets its own pages and programs through', async () => {
    const host = ['Host', 'localhost:7000'];
    const own = ['Origin', 'http://localhost:7000', 'Sec-Fetch-Site', 'same-origin'];
    assert.equal(await verdict([...host, ...own]), null);
    assert.equal(await verdict([...host, 'Origin', 'https://LOCALHOST:7000']), null);
    assert.equal(await verdict([...host, 'Sec-Fetch-Site', 'none']), null);
    assert.equal(await verdict(host), null);
  });
});

describe('the token check', () => {
  // Anyone who reaches the port can steer this machine:
  // a request that simply leaves the token out must do nothing.
  it('refuses a request without the token, and says which kind it wants', async () => {
    const refusal = await verdict(['Host', 'localhost'], LOCKED);
    assert.deepEqual([refusal.kind, refusal.status], ['token-missing', 401]);
    assert.equal(refusal.challenge, 'Bearer realm="heimdall"');
  });

  // Other schemes, prefixes, longer values and lists must not pass for the token,
  // nor must one that travels in the query, where logs and histories keep it.
  it('takes the whole token from the Authorization field only', async () => {
    for (const value of ['sesame', 'Basic sesame', 'Bearer', 'Bearer ', 'Bearer x sesame', 'Bearer sesame x']) {
      assert.equal((await authorized(value))?.kind, 'token-missing', value);
    }
    for (const value of ['Bearer sesam', 'Bearer sesame2', 'Bearer SESAME', 'Bearer sesame,sesame']) {
      const refusal = await authorized(value);
      assert.equal(refusal?.kind, 'token-wrong', value);
      assert.match(refusal.challenge, /error="invalid_token"/);
    }
    assert.equal((await verdict(['Host', 'localhost'], LOCKED, '/?token=sesame')).kind, 'token-missing');
    assert.equal(await authorized('Bearer sesame'), null);
    assert.equal(await authorized('bearer  sesame'), null);
  });

  // A token that resolved to nothing must not open the door:
  // an empty one locks it.
  it('lets nobody in with an empty token', async () => {
    const under = { ...OPEN, token: '' };
    assert.equal(await kindOf(['Host', 'localhost'], under), 'token-missing');
    assert.equal(await kindOf(['Host', 'localhost', 'Authorization', 'Bearer '], under), 'token-missing');
  });

  // The detail of a refusal goes back to a stranger:
  // neither it nor the challenge may tell the token.
  it('never repeats the token', async () => {
    assert.doesNotMatch(JSON.stringify(await authorized('Bearer other')), /sesame/);
  });
});

it('checks the Host first, then the Origin, then the token', async () => {
  const all = ['Host', 'evil.example', 'Origin', 'https://evil.example'];
  assert.equal(await kindOf(all, LOCKED), 'host');
  assert.equal(await kindOf(['Host', 'localhost', ...all.slice(2)], LOCKED), 'origin');
});
