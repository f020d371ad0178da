import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** What a client needs to know. */
export interface Place {
  /** Of the load balancer. */
  readonly port: number;
  /** The visit has lasted too long. */
  readonly signal: AbortSignal;
}

/** One thing that a client does; rejects when the answer is not right. */
export type Visit = (place: Place) => Promise<void>;

/** A whole number from 0 to below `limit`; small ones are as frequent as large ones. */
export function anyLength(limit: number): number {
  return Math.floor(limit ** Math.random()) - 1;
}

/** A whole number from 0 to below `limit`. */
export function any(limit: number): number {
  return Math.floor(Math.random() * limit);
}

/** A connection that ends with the visit's time. */
export async function dial({ port, signal }: Place): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, signal });
  await once(socket, 'connect');
  return socket;
}
