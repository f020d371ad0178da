import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';

/** Odd, so that no buffer's size divides it: octets that were lost or doubled show up. */
const PERIOD = 1_000_003;
const PIECE = 256 * 1024;
const ONCE = randomBytes(PERIOD);
/** Twice, so that every piece of it is in one piece. */
const OCTETS = Buffer.concat([ONCE, ONCE]);

/** A part of such a body. @param length - at most a million octets. */
export function longBodyPart(from: number, length: number): Buffer {
  const start = from % PERIOD;
  return OCTETS.subarray(start, start + length);
}

/** Sends a body of any length as fast as the other end takes it, from one piece of memory. */
export class LongBodySender {
  sent = 0;
  readonly #socket: Socket;
  readonly #length: number;

  constructor(socket: Socket, length: number) {
    this.#socket = socket;
    this.#length = length;
    socket.on('drain', () => this.pour());
  }

  pour(): void {
    while (this.sent < this.#length) {
      const from = this.sent % PERIOD;
      const size = Math.min(PIECE, this.#length - this.sent);
      this.sent += size;
      if (!this.#socket.write(OCTETS.subarray(from, from + size))) return;
    }
  }
}

/** Compares such a body with what it must be, and keeps nothing of it. */
export class LongBodyCheck {
  received = 0;

  take(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const from = this.received % PERIOD;
      const size = Math.min(PERIOD, chunk.length - at);
      const same = chunk.compare(OCTETS, from, from + size, at, at + size) === 0;
      assert.ok(same, `the octets from ${this.received} on are others`);
      this.received += size;
      at += size;
    }
  }
}
