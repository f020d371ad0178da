import { once } from 'node:events';
import type { Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { z } from 'zod';
import { createServer } from '../../pkg/sockets/http.ts';
import { selfSignedCertificate } from './certificate.ts';

const MessageSchema = z.object({ id: z.string(), subject: z.string(), text: z.string().optional() });
export type ReceivedMessage = z.infer<typeof MessageSchema>;

/** Takes messages, or refuses them. */
abstract class Receiver implements AsyncDisposable {
  readonly taken: ReceivedMessage[] = [];
  readonly refused: ReceivedMessage[] = [];
  accepts: boolean;

  constructor(accepts: boolean) {
    this.accepts = accepts;
  }

  abstract listen(port: number): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;

  protected receive(message: ReceivedMessage): boolean {
    (this.accepts ? this.taken : this.refused).push(message);
    return this.accepts;
  }
}

/** Of webhooks in the format `json`. */
export class WebhookReceiver extends Receiver {
  readonly #server: Server;

  constructor(accepts: boolean) {
    super(accepts);
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        const accepted = this.receive(MessageSchema.parse(JSON.parse(body)));
        response.writeHead(accepted ? 204 : 503).end();
      });
    });
  }

  async listen(port: number, host = '127.0.0.1'): Promise<void> {
    await once(this.#server.listen(port, host), 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Of mails; the id is the part of the Message-ID before the @. */
export class MailReceiver extends Receiver {
  readonly #server: SMTPServer;

  constructor(accepts: boolean) {
    super(accepts);
    this.#server = mailServer((folded) => {
      const mail = folded.replaceAll(/\r\n(?=[ \t])/g, '');
      const id = /^Message-ID: <(.*)@/im.exec(mail)?.[1] ?? '';
      return this.receive({ id, subject: /^Subject: (.*)\r$/m.exec(mail)?.[1] ?? '' });
    });
  }

  async listen(port: number): Promise<void> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** With a certificate of its own. @param take - gets each mail as it came, and says whether it is accepted, or to be sent again. */
export function mailServer(take: (mail: string) => boolean): SMTPServer {
  return new SMTPServer({
    ...selfSignedCertificate(),
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onData: (stream, _session, done) => {
      text(stream).then((mail) => {
        done(take(mail) ? null : Object.assign(new Error('try again later'), { responseCode: 451 }));
      }, done);
    },
  });
}
