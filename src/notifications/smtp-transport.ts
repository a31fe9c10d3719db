import type { SMTPTransportOptions } from 'nodemailer';
import { reasonOf } from '../shared/errors.ts';
import { DeliveryFailure, type FailureKind, type MailMessage, type MailTransport } from './mail-transport.ts';
import { deliverableAddress } from './mailbox.ts';

/** Milliseconds; each is about silence, not about the whole of a mail. */
export interface SmtpTimeouts {
  /** To connect, with DNS and TLS. */
  readonly connection: number;
  readonly greeting: number;
  /** Long, because a server may look at a mail before it says that it took it, and giving up then sends a second copy. */
  readonly socket: number;
}

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** `implicit` from the first byte (RFC 8314), `starttls` or nothing is sent, `none` on this machine. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  readonly auth?: { readonly user: string; readonly pass: string } | undefined;
}

const timeouts: SmtpTimeouts = { connection: 5_000, greeting: 5_000, socket: 90_000 };
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads `smtp://` or `smtps://[user:password@]host[:port]`. Options in the query are refused, because some of them would
 * turn checks off. @throws RangeError.
 */
export function readSmtpUrl(text: string): SmtpServer {
  const url = new URL(text);
  const rest = url.search !== '' || url.hash !== '' || !['', '/'].includes(url.pathname);
  if (!['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '' || rest) {
    throw new RangeError('A mail server is given as smtp:// or smtps://user:password@host:port, and nothing else.');
  }
  const implicit = url.protocol === 'smtps:';
  return {
    // URLs of schemes that the standard does not know keep the brackets of IPv6, and letters as they were.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || (implicit ? 465 : 587)),
    tls: implicit ? 'implicit' : loopback.test(url.hostname.toLowerCase()) ? 'none' : 'starttls',
    ...(url.username !== '' && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    }),
  };
}

interface SmtpError {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly permanent?: boolean;
}

/** Only an answer to the recipient or to the content is about the mail; the rest is about the server or our settings. */
function kindOf({ code, command, responseCode, permanent }: SmtpError): FailureKind {
  if (responseCode === undefined) return code === 'EENVELOPE' || code === 'EMESSAGE' ? 'refused' : 'away';
  if (responseCode === 421 || (command !== 'RCPT TO' && command !== 'DATA')) return 'away';
  return permanent ? 'refused' : 'later';
}

async function asDelivery<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new DeliveryFailure(
      error instanceof Error ? kindOf(error as SmtpError & Error) : 'away',
      reasonOf(error),
      error,
    );
  }
}

const optionsOf = ({ host, port, tls, auth }: SmtpServer, limits: SmtpTimeouts): SMTPTransportOptions => ({
  host,
  port,
  auth,
  secure: tls === 'implicit',
  requireTLS: tls === 'starttls',
  ignoreTLS: tls === 'none',
  tls: { minVersion: 'TLSv1.2' },
  connectionTimeout: limits.connection,
  dnsTimeout: limits.connection,
  greetingTimeout: limits.greeting,
  socketTimeout: limits.socket,
  socketCloseTimeout: 1_000,
  disableFileAccess: true,
  disableUrlAccess: true,
});

const fieldsOf = ({ messageId, from, to, date, subject, text, html }: MailMessage) => ({
  messageId: `<${messageId}>`,
  date: new Date(date),
  from: { name: from.name ?? '', address: from.address },
  to: { name: '', address: to },
  envelope: { from: from.address, to: [to] },
  subject,
  text,
  html,
  // RFC 3834 §5.1: so that no holiday notice comes back, and no loop starts.
  headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
});

/** Hands mails to an SMTP server, a connection each. Servers elsewhere get nothing in the clear, least of all a password. */
export function createSmtpTransport(server: SmtpServer, limits: SmtpTimeouts = timeouts): MailTransport {
  const open = async () => (await import('nodemailer')).createTransport(optionsOf(server, limits));
  let opened: ReturnType<typeof open> | undefined;
  const transport = (): ReturnType<typeof open> => {
    opened ??= open();
    return opened;
  };
  return {
    async send(message, signal) {
      // The outbox lets only such addresses in; here, a library would quietly make one of what is none.
      if ([message.to, message.from.address].some((address) => deliverableAddress(address) !== address)) {
        throw new DeliveryFailure('refused', 'The sender or the recipient is not one plain address.');
      }
      await asDelivery((await transport()).sendMail({ ...fieldsOf(message), signal }));
    },
    async verify() {
      await asDelivery((await transport()).verify());
    },
  };
}
