import type { NodemailerError, SMTPSentMessageInfo, Transporter } from 'nodemailer';
import type { Notification } from './alert.ts';
import { DeliveryError, type Notifier } from './notifier.ts';
import type { ChannelFilter, EmailChannel } from './schema.ts';

const ENCRYPTION: Readonly<Record<EmailChannel['encryption'], object>> = {
  tls: { secure: true },
  starttls: { secure: false, requireTLS: true },
  opportunistic: { secure: false },
  none: { secure: false, ignoreTLS: true },
};

/** As wide as the screen, in letters that need no zoom; long lines of a log are broken rather than cut. */
const HTML_HEAD =
  '<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"></head>' +
  '<body style="font:16px/1.5 sans-serif;max-width:40em;margin:0 auto;padding:8px;overflow-wrap:anywhere">';

/** Failures that come without an answer of the server, and would come again. */
const PERMANENT_CODES = new Set(['EENVELOPE', 'ENOAUTH', 'ECONFIG', 'EMESSAGE']);

/** Mails messages through an SMTP server, one connection for each. */
export class EmailNotifier implements Notifier {
  readonly name: string;
  readonly filter: ChannelFilter;
  readonly #channel: EmailChannel;
  readonly #transport: Promise<Transporter<SMTPSentMessageInfo>>;

  constructor(channel: EmailChannel) {
    const { to } = channel;
    this.#transport = openTransport(channel);
    this.#transport.catch(() => {}); // whoever sends is told
    this.name = `email to ${to[0]}${to.length > 1 ? ` and ${to.length - 1} more` : ''}`;
    this.filter = channel;
    this.#channel = channel;
  }

  /** @throws {DeliveryError} not retryable when the server refused for good, or took the mail for some recipients only. */
  async send(notification: Notification, signal: AbortSignal): Promise<void> {
    const { from, to } = this.#channel;
    const transport = await this.#transport;
    const sent = await transport
      .sendMail({
        from,
        to,
        subject: `[heimdall] ${notification.subject}`,
        text: `${notification.text}\n`,
        html: htmlOf(notification),
        date: new Date(notification.at),
        messageId: `<${notification.id}@${domainOf(from)}>`,
        headers: { 'Auto-Submitted': 'auto-generated' }, // RFC 3834: no out-of-office answers, please
        signal,
      })
      .catch((error: NodemailerError) => {
        throw new DeliveryError(error.message, { retryable: isRetryable(error), cause: error });
      });
    if (sent.rejected.length > 0) {
      // the others have it already: another attempt would tell them twice
      throw new DeliveryError(`refused for ${sent.rejected.join(', ')}`, { retryable: false });
    }
  }
}

/** Loads the library, which takes as long as half a load balancer: only where mails are to be sent. */
async function openTransport(channel: EmailChannel): Promise<Transporter<SMTPSentMessageInfo>> {
  const { host, port, encryption, verifyCertificate, auth, timeout } = channel;
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host,
    port,
    ...ENCRYPTION[encryption],
    tls: { rejectUnauthorized: verifyCertificate, minVersion: 'TLSv1.2' },
    auth,
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

function isRetryable({ permanent, code }: NodemailerError): boolean {
  return permanent === undefined ? !PERMANENT_CODES.has(code ?? '') : !permanent;
}

function domainOf(mailbox: string): string {
  return /@([^<>@]+)>?$/.exec(mailbox)?.[1] ?? 'localhost';
}

function htmlOf({ text }: Notification): string {
  const paragraphs = text.split('\n\n').map((paragraph) => {
    const [title = '', ...lines] = paragraph.split('\n').map(escapeHtml);
    return `<p><strong>${title}</strong>${lines.map((line) => `<br>${line}`).join('')}</p>`;
  });
  return `${HTML_HEAD}${paragraphs.join('')}</body></html>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/^ +/, (spaces) => '&nbsp;'.repeat(spaces.length));
}
