import type { Config } from '../config/load.ts';
import { createSmtpTransport, readSmtpUrl } from '../notifications/index.ts';
import { reasonOf } from '../shared/errors.ts';
import type { Check } from './check.ts';

/** Whether mail can leave: connects, secures the connection and signs in, without sending one. */
export async function checkMail({ SALLYPORT_SMTP_URL: url, production, local }: Config): Promise<Check> {
  const name = 'mail';
  if (url === undefined) {
    const detail = 'no mail server: mails wait in the database';
    return production
      ? { name, status: 'warn', detail, fix: 'Set SALLYPORT_SMTP_URL.' }
      : { name, status: 'ok', detail: local ? `${detail}, and /dev/mail shows them` : detail };
  }
  const server = readSmtpUrl(url);
  const where = `${server.host}:${server.port}`;
  try {
    await createSmtpTransport(server).verify();
    return { name, status: 'ok', detail: `${where} answers${server.tls === 'none' ? '' : ', with TLS'}` };
  } catch (error) {
    const fix = 'Is SALLYPORT_SMTP_URL right, does the server offer TLS, and does it accept this user?';
    return { name, status: 'fail', detail: `${where}: ${reasonOf(error)}`, fix };
  }
}
