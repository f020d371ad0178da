import { isIP } from 'node:net';
import type { Clock } from '../../../pkg/clock/clock.ts';
import { messageOf } from '../../model/errors.ts';

/** How long what was read is good for, in milliseconds; the second after a failure. */
const FRESH_MS = 600_000;
const FAILED_MS = 60_000;
/** From the connect to the certificate, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** Who is asked for a certificate. */
export interface CertificateHolder {
  readonly host: string;
  readonly port: number;
  /** The name that is asked for. */
  readonly name: string;
}

export interface CertificateEnd {
  /** Epoch milliseconds; null: it could not be read. */
  readonly validTo: number | null;
  /** Why it could not be read. */
  readonly failure: string;
}

/** Knows until when certificates are valid, and looks again every ten minutes; one at a time, in the background. */
export class CertificateBook {
  readonly #clock: Clock;
  readonly #ask: (holder: CertificateHolder) => Promise<number>;
  readonly #known = new Map<string, CertificateEnd & { readonly until: number }>();
  #turn: Promise<void> = Promise.resolve();
  readonly #asked = new Set<string>();

  /** @param ask - see `validToOf`. */
  constructor(clock: Clock, ask: (holder: CertificateHolder) => Promise<number> = validToOf) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** What is known by now; undefined: nothing yet. */
  endOf(holder: CertificateHolder): CertificateEnd | undefined {
    const key = `${holder.name} ${holder.host} ${holder.port}`;
    const known = this.#known.get(key);
    if ((known === undefined || known.until <= this.#clock.monotonic()) && !this.#asked.has(key)) {
      this.#asked.add(key);
      this.#turn = this.#turn.then(() => this.#look(key, holder));
    }
    return known;
  }

  async #look(key: string, holder: CertificateHolder): Promise<void> {
    const end: CertificateEnd = await this.#ask(holder).then(
      (validTo) => ({ validTo, failure: '' }),
      (error: unknown) => ({ validTo: null, failure: messageOf(error) }),
    );
    const until = this.#clock.monotonic() + (end.validTo === null ? FAILED_MS : FRESH_MS);
    this.#known.set(key, { ...end, until });
    this.#asked.delete(key);
  }
}

/**
 * Until when the certificate is valid that somebody shows, in epoch milliseconds, whether it is trusted or not: an expired
 * one is what we look for.
 * @throws when none could be had.
 */
export async function validToOf({ host, port, name }: CertificateHolder): Promise<number> {
  const { connect } = await import('node:tls'); // takes long to load, and only rules on certificates ask
  return new Promise((resolve, reject) => {
    const servername = isIP(name) === 0 ? { servername: name } : {}; // no address is a server name (RFC 6066, 3)
    const socket = connect({ host, port, ...servername, rejectUnauthorized: false });
    const tooLate = () => socket.destroy(new Error(`no certificate within ${TIMEOUT_MS / 1_000} s`));
    const deadline = setTimeout(tooLate, TIMEOUT_MS).unref();
    socket.on('secureConnect', () => {
      const validTo = Date.parse(socket.getPeerCertificate().valid_to);
      if (Number.isNaN(validTo)) reject(new Error('no certificate was shown'));
      else resolve(validTo);
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(deadline);
      reject(new Error('closed before a certificate was shown'));
    });
  });
}
