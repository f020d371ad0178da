import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { z } from 'zod';
import { AlertDispatcher } from '../../pkg/alerts/dispatcher.ts';
import { EmailNotifier } from '../../pkg/alerts/email.ts';
import { DeliveryError } from '../../pkg/alerts/notifier.ts';
import { renderNotification } from '../../pkg/alerts/render.ts';
import { EmailChannelSchema } from '../../pkg/alerts/schema.ts';
import { selfSignedCertificate } from '../support/certificate.ts';

const AT = Date.UTC(2026, 0, 2, 12);
const NO_SIGNAL = new AbortController().signal;
const CERTIFICATE = selfSignedCertificate();
const SILENT = { info() {}, warn() {}, error() {} };

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string | undefined;
  /** Head and body; the soft line breaks of quoted-printable are undone. */
  readonly source: string;
}

/** A real SMTP server on loopback with a self-signed certificate; closed after the test. */
async function smtpServer(context: TestContext, options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...CERTIFICATE,
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, session, callback) {
      text(stream).then((source) => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        const to = rcptTo.map(({ address }) => address);
        mails.push({ from, to, secure: session.secure, user: session.user, source: source.replaceAll('=\r\n', '') });
        callback();
      }, callback);
    },
    ...options,
  });
  server.on('error', () => {}); // a client that refuses the certificate
  const listener = server.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  context.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: portOf(listener), mails };
}

function portOf(server: net.Server): number {
  const address: AddressInfo | string | null = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

function notifierFor(port: number, changes: Partial<z.input<typeof EmailChannelSchema>> = {}): EmailNotifier {
  const channel = { host: '127.0.0.1', port, from: 'Heimdall <heimdall@example.org>', to: ['ops@example.org'] };
  return new EmailNotifier(EmailChannelSchema.parse({ ...channel, encryption: 'none', ...changes }));
}

function message(title = 'web-9001 is down', cause = 'connect ECONNREFUSED') {
  const alert = { key: 'k', severity: 'critical', title, cause, at: AT } as const;
  return renderNotification([{ alert, state: 'firing', resolvedAt: null, occurrences: 1 }], AT, 'id-1');
}

/** The login of the tests: `me` with the password `right`. */
const LOGIN: SMTPServerOptions = {
  authOptional: false,
  onAuth({ username, password }, _session, callback) {
    if (username === 'me' && password === 'right') callback(null, { user: 'me' });
    else callback(new Error('Invalid username or password'));
  },
};

function deliveryError(check: (error: DeliveryError) => void): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof DeliveryError, String(error));
    check(error);
    return true;
  };
}

describe('an email', () => {
  it('arrives with subject, text, HTML and the fields that keep robots from answering', async (context) => {
    const { port, mails } = await smtpServer(context);
    await notifierFor(port, { to: ['ops@example.org', 'Dev <dev@example.org>'] }).send(message(), NO_SIGNAL);
    const [mail] = mails;
    assert.equal(mails.length, 1);
    assert.equal(mail?.from, 'heimdall@example.org');
    assert.deepEqual(mail?.to, ['ops@example.org', 'dev@example.org']);
    const source = mail?.source ?? '';
    assert.match(source, /^Subject: \[heimdall\] web-9001 is down \(connect ECONNREFUSED\)\r$/m);
    assert.match(source, /^Auto-Submitted: auto-generated\r$/m);
    assert.match(source, /^Message-ID: <id-1@example\.org>\r$/m);
    assert.match(source, /^CRITICAL: web-9001 is down\r\n {2}connect ECONNREFUSED\r$/m);
    assert.match(source, /<strong>CRITICAL: web-9001 is down<\/strong>/);
  });

  // An app names itself `x\r\nBcc: everybody@example.org` or `<img src=//evil.example>`, and goes down.
  // Its name must end no header line and be no markup.
  it('lets a hostile title add no header, no recipient and no markup', async (context) => {
    const { port, mails } = await smtpServer(context);
    await notifierFor(port).send(message('x\r\nBcc: everybody@example.org <img src=//e.example>'), NO_SIGNAL);
    const { to, source = '' } = mails[0] ?? {};
    const [head = '', body = ''] = source.split(/\r\n\r\n(.*)/s);
    assert.deepEqual(to, ['ops@example.org']);
    assert.doesNotMatch(head, /^Bcc:/im);
    assert.match(body, /&lt;img/);
    assert.doesNotMatch(body.slice(body.indexOf('text/html')), /<img/);
  });

  it('is upgraded by STARTTLS before the login', async (context) => {
    const { port, mails } = await smtpServer(context, LOGIN);
    const auth = { user: 'me', pass: 'right' };
    await notifierFor(port, { encryption: 'starttls', verifyCertificate: false, auth }).send(message(), NO_SIGNAL);
    assert.deepEqual([mails[0]?.secure, mails[0]?.user], [true, 'me']);
  });

  it('goes over TLS from the first byte', async (context) => {
    const { port, mails } = await smtpServer(context, { secure: true });
    await notifierFor(port, { encryption: 'tls', verifyCertificate: false }).send(message(), NO_SIGNAL);
    assert.equal(mails[0]?.secure, true);
  });

  it('takes the encryption that is offered when it is opportunistic', async (context) => {
    const offers = await smtpServer(context);
    const offersNone = await smtpServer(context, { disabledCommands: ['STARTTLS'] });
    for (const { port } of [offers, offersNone]) {
      await notifierFor(port, { encryption: 'opportunistic', verifyCertificate: false }).send(message(), NO_SIGNAL);
    }
    assert.deepEqual([offers.mails[0]?.secure, offersNone.mails[0]?.secure], [true, false]);
  });
});

describe('an email is not sent', () => {
  it('in the clear when STARTTLS is required and not offered', async (context) => {
    const { port, mails } = await smtpServer(context, { disabledCommands: ['STARTTLS'] });
    await assert.rejects(notifierFor(port, { encryption: 'starttls' }).send(message(), NO_SIGNAL), DeliveryError);
    assert.equal(mails.length, 0);
  });

  it('to a server whose certificate nobody vouches for', async (context) => {
    const { port, mails } = await smtpServer(context);
    await assert.rejects(
      notifierFor(port, { encryption: 'starttls' }).send(message(), NO_SIGNAL),
      deliveryError(({ message: reason }) => assert.match(reason, /certificate/i)),
    );
    assert.equal(mails.length, 0);
  });

  it('with a wrong password; the reason is reported, and another attempt is not worth it', async (context) => {
    const { port } = await smtpServer(context, { ...LOGIN, allowInsecureAuth: true });
    const send = notifierFor(port, { auth: { user: 'me', pass: 'wrong' } }).send(message(), NO_SIGNAL);
    await assert.rejects(
      send,
      deliveryError(({ message: reason, retryable }) => {
        assert.match(reason, /Invalid login.*Invalid username or password/);
        assert.doesNotMatch(reason, /wrong/);
        assert.equal(retryable, false);
      }),
    );
  });

  it('now when the server says later (4xx): worth another attempt', async (context) => {
    const { port } = await smtpServer(context, {
      onMailFrom: (_address, _session, callback) => {
        callback(Object.assign(new Error('greylisted'), { responseCode: 451 }));
      },
    });
    await assert.rejects(
      notifierFor(port).send(message(), NO_SIGNAL),
      deliveryError(({ message: reason, retryable }) => {
        assert.match(reason, /greylisted/);
        assert.equal(retryable, true);
      }),
    );
  });

  it('twice to those who have it when one of several recipients is refused', async (context) => {
    const { port, mails } = await smtpServer(context, {
      onRcptTo: ({ address }, _session, callback) => {
        callback(address.startsWith('gone') ? Object.assign(new Error('unknown'), { responseCode: 550 }) : null);
      },
    });
    await assert.rejects(
      notifierFor(port, { to: ['ops@example.org', 'gone@example.org'] }).send(message(), NO_SIGNAL),
      deliveryError(({ message: reason, retryable }) => {
        assert.equal(reason, 'refused for gone@example.org');
        assert.equal(retryable, false);
      }),
    );
    assert.deepEqual(mails[0]?.to, ['ops@example.org']);
  });

  it('by a server that accepts connections and says nothing: the wait ends', async (context) => {
    const mute = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    context.after(() => mute.close());
    const send = notifierFor(portOf(mute), { timeout: '200ms' }).send(message(), NO_SIGNAL);
    await assert.rejects(
      send,
      deliveryError(({ retryable }) => assert.equal(retryable, true)),
    );
  });

  it('once its signal is aborted', async (context) => {
    const mute = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    context.after(() => mute.close());
    const abort = new AbortController();
    const send = notifierFor(portOf(mute)).send(message(), abort.signal);
    const connected = once(mute, 'connection');
    await connected;
    abort.abort();
    await assert.rejects(send, DeliveryError);
  });
});

describe('the alert dispatcher', () => {
  it('mails what was raised and what ended, and reports a failed test by channel', async (context) => {
    const { port, mails } = await smtpServer(context, { ...LOGIN, allowInsecureAuth: true });
    const right = notifierFor(port, { auth: { user: 'me', pass: 'right' } });
    const wrong = notifierFor(port, { to: ['dev@example.org'], auth: { user: 'me', pass: 'wrong' } });
    const dispatcher = new AlertDispatcher({ notifiers: [right, wrong], log: SILENT });
    context.after(() => dispatcher.close());
    const results = await dispatcher.test();
    assert.deepEqual(
      results.map(({ channel, ok }) => [channel, ok]),
      [
        ['email to ops@example.org', true],
        ['email to dev@example.org', false],
      ],
    );
    assert.match(results[1]?.error ?? '', /Invalid login/);
    dispatcher.raise({ key: 'k', severity: 'critical', title: 'web-9001 is down', at: Date.now() });
    await dispatcher.flush();
    dispatcher.resolve('k');
    await dispatcher.flush();
    const subjects = mails.map(({ source }) => /^Subject: (.*)\r$/m.exec(source)?.[1] ?? '');
    assert.match(subjects[0] ?? '', /Test alert/);
    assert.equal(subjects[1], '[heimdall] web-9001 is down');
    assert.match(subjects[2] ?? '', /Resolved after .* web-9001 is down/);
  });
});
