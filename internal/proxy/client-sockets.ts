import type { Socket } from 'node:net';

/** What the clients' connections of one thread have carried. */
export interface ClientTraffic {
  /** Connections that are open. */
  readonly open: number;
  /** That were accepted in all. */
  readonly accepted: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** The connections of clients, whichever listener they came in on; the sockets count their bytes themselves. */
export class ClientSockets {
  readonly #open = new Set<Socket>();
  #accepted = 0;
  #receivedBytes = 0;
  #sentBytes = 0;

  accepted(socket: Socket): void {
    this.#open.add(socket);
    this.#accepted += 1;
  }

  closed(socket: Socket): void {
    if (!this.#open.delete(socket)) return;
    this.#receivedBytes += socket.bytesRead;
    this.#sentBytes += socket.bytesWritten;
  }

  read(): ClientTraffic {
    let [receivedBytes, sentBytes] = [this.#receivedBytes, this.#sentBytes];
    for (const { bytesRead, bytesWritten } of this.#open) {
      receivedBytes += bytesRead;
      sentBytes += bytesWritten;
    }
    return { open: this.#open.size, accepted: this.#accepted, receivedBytes, sentBytes };
  }
}
