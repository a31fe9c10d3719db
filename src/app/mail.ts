import { join } from 'node:path';
import { type Config, isLoopbackUrl } from '../config/load.ts';
import {
  createNotifications,
  createSmtpTransport,
  type Notifications,
  parseMailbox,
  readSmtpUrl,
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
}

const viewsDir = join(import.meta.dirname, '..', '..', 'views');
const name = 'Sallyport';

/** Whether `/dev/mail` is there: its links open accounts, so never in production and never beyond this machine. */
export const hasMailViewer = (config: Pick<Config, 'production' | 'issuer'>): boolean =>
  !config.production && isLoopbackUrl(config.issuer);

/** Notifications as the configuration wants them: by SMTP where there is a server, else they wait in the outbox. */
export function createMail({ config, database, clock, logger, secrets }: Needs): Notifications {
  const { issuer, SALLYPORT_SMTP_URL: smtp, SALLYPORT_MAIL_FROM: from } = config;
  return createNotifications({
    store: createSqlOutboxStore(database),
    clock,
    logger,
    secrets,
    render: createMailRenderer({ viewsDir, cache: config.NODE_ENV !== 'development', site: { name, issuer } }),
    from: parseMailbox(from ?? `${name} <no-reply@${new URL(issuer).hostname}>`) ?? {
      name,
      address: 'no-reply@localhost',
    },
    ...(smtp !== undefined && { transport: createSmtpTransport(readSmtpUrl(smtp)) }),
    policy: { viewer: hasMailViewer(config) },
  });
}
