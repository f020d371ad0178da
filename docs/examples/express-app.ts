/**
 * An Express app that balances a part of its paths over the instances of heimdall's service `web`.
 * Start instances with `heimdall manager`, then: `node docs/examples/express-app.ts`, and `curl localhost:3000/web/`.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { balance } from '../../cmd/express/balance.ts'; // in your app: 'heimdall/express'

const web = balance({ service: 'web' });

const app = express();
app.use('/web', web); // before body parsers: what they have read cannot be relayed
app.use(express.json());
app.get('/', (_request, response) => {
  response.json({ says: 'this route is the app itself' });
});

const server = createServer({ shouldUpgradeCallback: web.shouldUpgrade }, app);
server.on('upgrade', web.upgrade); // WebSockets
await web.ready();
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
await once(server, 'listening');
console.log('the app listens on', server.address());

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
server.close(); // no new connections
await web.close(); // running requests finish, and no drain waits for this app any more
server.closeIdleConnections();
console.log('the app has stopped');
