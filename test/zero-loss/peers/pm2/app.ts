// The sample backend as pm2 runs it: it tells when it is ready, and on SIGINT it takes no more connections, finishes, and
// exits, see https://pm2.keymetrics.io/docs/usage/signals-clean-restart/
import type { ServerResponse } from 'node:http';
import { Server } from 'node:net';
import { startBackend } from '../../../../cmd/test-server/app.ts';
import { settingsFrom } from '../../../../cmd/test-server/settings.ts';

const { server } = await startBackend(settingsFrom(process.env));
const inFlight = new Set<ServerResponse>();
let isLeaving = false;

server.prependListener('request', (_request, response) => {
  if (isLeaving) response.setHeader('Connection', 'close');
  inFlight.add(response);
  response.once('close', () => inFlight.delete(response));
});
process.once('SIGINT', () => {
  server.once('close', () => process.exit(0)); // requests and WebSockets have ended
  if (process.env['PATIENT'] === '1') closePatiently();
  else server.close();
});
process.send?.('ready');

/** The `close` of HTTP ends idle connections, on which a request may be on its way; that of TCP does not. */
function closePatiently(): void {
  isLeaving = true;
  for (const response of inFlight) if (!response.headersSent) response.setHeader('Connection', 'close');
  Server.prototype.close.call(server);
}
