import { join } from 'node:path';
import type { AuditLog } from '../audit/index.ts';
import { type Config, ConfigError } from '../config/load.ts';
import {
  createNotifications,
  createSmsGateway,
  createSmtpTransport,
  type Notifications,
  parseMailbox,
  readSmtpUrl,
  type Suppressed,
  type TextGateway,
} from '../notifications/index.ts';
import { createSqlOutboxStore } from '../notifications/outbox-store-sql.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';
import { createMailRenderer } from './render-mail.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secrets: SecretRing;
  /** Where it is told that mails were held back. */
  readonly audit: Pick<AuditLog, 'record'>;
}

const viewsDir = join(import.meta.dirname, '..', '..', 'views');
const name = 'Sallyport';
const accountPath = '/account';

/** Whether `/dev/mail` is there: its links open accounts, so never in production and never beyond this machine. */
export const hasMailViewer = (config: Pick<Config, 'production' | 'local'>): boolean =>
  !config.production && config.local;

function smsGateway(config: Config, clock: Clock): TextGateway | undefined {
  const { SALLYPORT_SMS_WEBHOOK_URL: url, SALLYPORT_SMS_WEBHOOK_SECRET: secret } = config;
  if (url === undefined) return undefined;
  if (secret === undefined) {
    throw new ConfigError(['SALLYPORT_SMS_WEBHOOK_SECRET is not set. Give the secret that the SMS gateway checks.']);
  }
  return createSmsGateway({ url, secret }, clock);
}

/** Once in the window of a cap, however many mails it stops: a flood of mails must not become one of rows. */
const tellOfSuppressed =
  (audit: Needs['audit']) =>
  ({ channel, template, account }: Suppressed): Promise<void> =>
    audit.record({
      type: 'notice.suppressed',
      actor: { kind: 'system' },
      outcome: 'failure',
      details: { channel, template },
      ...(account !== undefined && { subject: account }),
    });

/**
 * Notifications as the configuration wants them: by SMTP where there is a server, else mails wait in the outbox; text
 * messages where there is a gateway. @throws ConfigError for a gateway without its secret.
 */
export function createMail({ config, database, clock, logger, secrets, audit }: Needs): Notifications {
  const { issuer, SALLYPORT_SMTP_URL: smtp, SALLYPORT_MAIL_FROM: from } = config;
  return createNotifications({
    store: createSqlOutboxStore(database),
    clock,
    logger,
    secrets,
    render: createMailRenderer({
      viewsDir,
      cache: config.NODE_ENV !== 'development',
      site: { name, issuer, accountPath },
    }),
    from: parseMailbox(from ?? `${name} <no-reply@${new URL(issuer).hostname}>`) ?? {
      name,
      address: 'no-reply@localhost',
    },
    ...(smtp !== undefined && { transport: createSmtpTransport(readSmtpUrl(smtp)) }),
    gateway: smsGateway(config, clock),
    onSuppressed: tellOfSuppressed(audit),
    policy: { viewer: hasMailViewer(config) },
  });
}
