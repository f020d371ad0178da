import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { hasCode, HeimdallError, messageOf } from '../model/errors.ts';
import type { Nodes, Peer } from '../server/nodes.ts';

/** For a connection to another node. */
const CONNECT_MS = 3_000;
/** When the system begins to ask whether a silent host is there still; it gives up some ten seconds later. */
const KEEP_ALIVE_MS = 5_000;
/** Between two looks whether the other manager gives signs of life, in milliseconds. */
const LOOK_MS = 1_000;
/** In a row. One that was out of touch with the registry for a moment carries the call out all the same. */
const SILENT_LOOKS = 10;

/**
 * Bounds how long a call takes to find out that the host is not there, and not how long its answer may take.
 * @param onConnect - the other manager may have begun with it from then on.
 */
export function boundConnection(call: ClientRequest, onConnect: () => void): void {
  const bound = (socket: Socket) => {
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    if (!socket.connecting) return onConnect();
    const late = () => call.destroy(new Error(`no connection within ${CONNECT_MS / 1_000} s`));
    const timer = setTimeout(late, CONNECT_MS);
    socket
      .once('connect', onConnect)
      .once('connect', () => clearTimeout(timer))
      .once('close', () => clearTimeout(timer));
  };
  if (call.socket === null) call.once('socket', bound);
  else bound(call.socket);
}

/** Ends a call when its manager has given no sign of life for some time: it may hang, and its connection stays open all the same. */
export function endWithManager(call: ClientRequest, { node }: Peer, nodes: Pick<Nodes, 'peer'>): void {
  let silent = 0;
  const look = async () => {
    const isAway = await nodes.peer(node).then(
      () => false,
      (error: unknown) => hasCode(error, 'NODE_AWAY'), // while the registry is away nobody knows
    );
    silent = isAway ? silent + 1 : 0;
    if (silent === SILENT_LOOKS) call.destroy(new Error(`no sign of life for ${SILENT_LOOKS} s`));
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  call.once('close', () => clearInterval(timer));
}

/** Why a call brought no answer. @param wasSent - whether the other manager may have begun with it. */
export function peerFault({ node, url }: Peer, error: unknown, wasSent: boolean): HeimdallError {
  const reason = messageOf(error);
  const context = { node };
  if (!wasSent) {
    return new HeimdallError('NODE_AWAY', `the manager of node ${node} does not answer on ${url}: ${reason}`, context);
  }
  const message =
    `the manager of node ${node} broke off (${reason}), and nobody knows how far it came: ` +
    'see what there is (GET /servers/list, /events)';
  return new HeimdallError('NODE_FAILED', message, context);
}
