import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { CountedConnections } from '../../../internal/proxy/counted-connections.ts';
import { SharedState } from '../../../internal/proxy/shared-state.ts';
import { Upstream } from '../../../internal/proxy/upstream.ts';
import { instance } from '../../support/instance-row.ts';

const SIZE = { upstreams: 4, pools: 1, threads: 2 };
const SLOT = 2;

function closing(socket: Socket): void {
  socket.emit('close');
}

describe('the connections to an upstream', () => {
  const state = SharedState.create(SIZE);
  const upstream = (thread: number) =>
    new Upstream(instance('web-1'), { state: SharedState.attach(state.buffer, SIZE, thread), slot: SLOT });
  const read = () => state.connections.read(SLOT);

  it('are those of all threads', () => {
    state.clear(SLOT, 1);
    const [first, second] = [new CountedConnections(upstream(1)), new CountedConnections(upstream(2))];
    const sockets = [new Socket(), new Socket(), new Socket()] as const;
    first.opens(sockets[0]);
    second.opens(sockets[1]);
    second.opens(sockets[2]);
    first.reused();
    first.idle = 1;
    second.becomesTunnel(sockets[1]);
    assert.deepEqual(read(), { open: 3, idle: 1, tunnels: 1, attempts: 3, reuses: 1 });
    closing(sockets[1]);
    assert.deepEqual(read(), { open: 2, idle: 1, tunnels: 0, attempts: 3, reuses: 1 });
    assert.deepEqual(state.connections.read(SLOT + 1), { open: 0, idle: 0, tunnels: 0, attempts: 0, reuses: 0 });
  });

  it('end with their thread; what that has done stays', () => {
    state.clear(SLOT, 2);
    const [first, second] = [new CountedConnections(upstream(1)), new CountedConnections(upstream(2))];
    first.opens(new Socket());
    second.opens(new Socket());
    first.idle = 1;
    state.takeOff(1);
    assert.deepEqual(read(), { open: 1, idle: 0, tunnels: 0, attempts: 2, reuses: 0 });
  });

  it('of one that is gone are not counted for the next in its place', () => {
    state.clear(SLOT, 3);
    const counted = new CountedConnections(upstream(1));
    const [open, tunnel] = [new Socket(), new Socket()];
    for (const socket of [open, tunnel]) counted.opens(socket);
    counted.becomesTunnel(tunnel);
    counted.idle = 1;
    counted.retire();
    assert.deepEqual(read(), { open: 0, idle: 0, tunnels: 0, attempts: 2, reuses: 0 });
    state.clear(SLOT, 4);
    for (const socket of [open, tunnel]) closing(socket);
    counted.opens(new Socket());
    counted.reused();
    counted.idle = 2;
    assert.deepEqual(read(), { open: 0, idle: 0, tunnels: 0, attempts: 0, reuses: 0 });
  });
});
