import { BadQuery, type Exchange, type Handler, integerIn, sendJson } from './exchange.ts';
import { download, echo, events, stream, truncate, upload } from './streams.ts';

const HELP = `The sample backend of heimdall. Every path that is not in this list answers like /, with status 200.

/                           who answered: server, pid, port, version, path, requests
/health                     200, or 503 after /switch?health=down
/slow?ms=1000               answers after that time
/fail?status=500            answers with that status
/echo                       sends the request body back as it comes in
/upload                     counts and hashes the request body
/download?bytes=1024        sends that many bytes
/stream?count=10&every=100  sends that many chunks, one every so many ms
/events?count=&every=1000   server-sent events, without end unless counted
/headers                    the request as it arrived
/truncate                   announces 1000 bytes, sends 500 and cuts the connection
/hang                       never answers
/crash                      exits with code 1
/exit?code=0                exits with that code
/early-hints                103, then 200
/trailers                   a chunked body with a trailer field
/ws                         WebSocket: first the server's name, then an echo
/switch?health=down&delay=0 changes later answers: health up or down, delay in ms
/version                    the version
/help                       this text
`;

const ROUTES: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['/health', health],
  ['/slow', slow],
  ['/fail', fail],
  ['/echo', echo],
  ['/upload', upload],
  ['/download', download],
  ['/stream', stream],
  ['/events', events],
  ['/headers', headers],
  ['/truncate', truncate],
  ['/hang', () => {}],
  ['/crash', () => process.exit(1)],
  ['/exit', ({ query }) => process.exit(integerIn(query, 'code', 0, 0, 255))],
  ['/early-hints', earlyHints],
  ['/trailers', trailers],
  ['/switch', change],
  ['/version', ({ response, backend }) => sendJson(response, 200, { version: backend.version })],
  ['/help', help],
]);

/** Any path answers, so that any path can be balanced. */
export function routeOf(path: string): Handler {
  return ROUTES.get(path) ?? identify;
}

function identify({ response, path, backend }: Exchange): void {
  const { name: server, port, version, requests } = backend;
  sendJson(response, 200, { server, pid: process.pid, port, version, path, requests });
}

function health({ response, backend }: Exchange): void {
  sendJson(response, backend.healthy ? 200 : 503, { status: backend.healthy ? 'ok' : 'down' });
}

function slow(exchange: Exchange): void {
  const timer = setTimeout(() => identify(exchange), integerIn(exchange.query, 'ms', 1_000, 0, 2 ** 31 - 1));
  exchange.response.once('close', () => clearTimeout(timer));
}

function fail({ response, query }: Exchange): void {
  const status = integerIn(query, 'status', 500, 200, 599);
  sendJson(response, status, { status });
}

/** Names and values as they were sent: order, case and repetition show what a proxy did to them. */
function headers({ request, response }: Exchange): void {
  const { method, url: target, httpVersion, rawHeaders, socket } = request;
  sendJson(response, 200, { method, target, httpVersion, rawHeaders, remoteAddress: socket.remoteAddress });
}

function earlyHints(exchange: Exchange): void {
  exchange.response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' }, () => identify(exchange));
}

function trailers(exchange: Exchange): void {
  const { request, response } = exchange;
  if (request.method === 'HEAD' || request.httpVersion === '1.0') return identify(exchange); // neither can carry them
  response.writeHead(200, { 'Content-Type': 'text/plain', Trailer: 'X-Checksum' });
  response.write('body\n');
  response.addTrailers({ 'X-Checksum': 'abc123' });
  response.end();
}

function change({ response, query, backend }: Exchange): void {
  const health = query.get('health');
  if (health !== null && health !== 'up' && health !== 'down') {
    throw new BadQuery(`health is ${JSON.stringify(health)}: expected up or down`);
  }
  backend.delay = integerIn(query, 'delay', backend.delay, 0, 2 ** 31 - 1);
  if (health !== null) backend.healthy = health === 'up';
  sendJson(response, 200, { health: backend.healthy ? 'up' : 'down', delay: backend.delay });
}

function help({ response }: Exchange): void {
  response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(HELP) });
  response.end(HELP);
}
