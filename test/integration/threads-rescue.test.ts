import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually, parseMessage, RawBackend, rawClient, requestText } from '../support/proxy-raw.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

it('all threads repeat what waits for an instance that answers nobody any more', async () => {
  const mute = await RawBackend.start(() => {});
  const answering = await RawBackend.answering(OK);
  await using site = await ThreadedSite.open(2, [mute.port, answering.port]);
  const clients = [];
  for (let thread = 1; thread <= 2; thread += 1) {
    // Which thread takes a connection is for the system to say.
    while (site.slots.state.inFlightOf(thread) === 0) {
      const client = await rawClient(site.port, requestText('GET /'));
      await eventually('it has an upstream', () => client.received !== '' || mute.connections.length > clients.length);
      if (client.received === '') clients.push(client);
    }
  }
  const [upstream] = [...(site.fleet.pool('web')?.upstreams() ?? [])];
  const { id, incarnation } = upstream!;
  site.fleet.healthChanged({ id, incarnation, from: 'healthy', to: 'unhealthy', cause: 'told by the test', at: 0 });
  site.fleet.fellSilent({ id, incarnation, silence: 'host', cause: 'connect timeout after 500 ms' });
  for (const client of clients) assert.equal(parseMessage(await client.rest()).status, 200);
  await Promise.all([mute.stop(), answering.stop()]);
});
