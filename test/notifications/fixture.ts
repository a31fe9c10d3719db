import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { createMailRenderer } from '../../src/app/render-mail.ts';
import {
  createNotifications,
  type MailMessage,
  type MailTransport,
  type NotificationPolicy,
  type Notifications,
  type Suppressed,
  type TextGateway,
  type TextMessage,
} from '../../src/notifications/index.ts';
import { createSqlOutboxStore } from '../../src/notifications/outbox-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { randomText } from '../../src/shared/ids.ts';
import { type Logger, silentLogger } from '../../src/shared/logger.ts';
import type { Database } from '../../src/storage/database.ts';

export const viewsDir = resolve(import.meta.dirname, '../../views');
export const issuer = 'https://id.fernhill.example';
export const secrets = new SecretRing(['outbox-test-secret-outbox-test-secret']);
export const render = createMailRenderer({ viewsDir, cache: true, site: { name: 'Sallyport', issuer } });

/** An address that no other test mails to. */
export const newAddress = (): string => `p${randomText(12)}@people.example`;

/** Takes every mail, or does with it what the test says. */
export class MemoryTransport implements MailTransport {
  readonly sent: MailMessage[] = [];
  on: (message: MailMessage, signal: AbortSignal) => unknown = () => undefined;

  async send(message: MailMessage, signal: AbortSignal): Promise<void> {
    await this.on(message, signal);
    this.sent.push(message);
  }

  async verify(): Promise<void> {}
}

/** Takes every text message, or does with it what the test says. */
export class MemoryGateway implements TextGateway {
  readonly sent: TextMessage[] = [];
  on: (message: TextMessage, signal: AbortSignal) => unknown = () => undefined;

  async send(message: TextMessage, signal: AbortSignal): Promise<void> {
    await this.on(message, signal);
    this.sent.push(message);
  }
}

/** A number that no other test writes to. */
export const newNumber = (): string => `+49${String(randomInt(10 ** 11)).padStart(11, '1')}`;

export interface OutboxRow {
  readonly id: string;
  readonly status: string;
  readonly data: string | null;
  readonly attempts: number;
  readonly next_at: Date;
  readonly error: string | null;
}

export interface Fixture {
  readonly notifications: Notifications;
  readonly clock: FixedClock;
  readonly transport: MemoryTransport;
  readonly gateway: MemoryGateway;
  /** What was told of messages that a cap stopped. */
  readonly suppressed: Suppressed[];
  /** The rows of one address, in the order of their making. */
  rows(to: string): Promise<OutboxRow[]>;
}

/** Empties the outbox: every deliverer takes whatever is due, so no test may leave something to the next. */
export const emptyOutbox = async (database: Database): Promise<void> => void (await database.sql('outbox').delete());

/** A notifications domain with a clock of its own. */
export function createFixture(
  database: Database,
  options: {
    policy?: Partial<NotificationPolicy>;
    transport?: MailTransport | false;
    gateway?: false;
    logger?: Logger;
  } = {},
): Fixture {
  const clock = new FixedClock();
  const [transport, gateway] = [new MemoryTransport(), new MemoryGateway()];
  const suppressed: Suppressed[] = [];
  const notifications = createNotifications({
    store: createSqlOutboxStore(database),
    clock,
    logger: options.logger ?? silentLogger(),
    secrets,
    render,
    from: { name: 'Sallyport', address: 'no-reply@fernhill.example' },
    ...(options.transport !== false && { transport: options.transport ?? transport }),
    ...(options.gateway !== false && { gateway }),
    onSuppressed: async (message) => void suppressed.push(message),
    ...(options.policy && { policy: options.policy }),
  });
  return {
    notifications,
    clock,
    transport,
    gateway,
    suppressed,
    rows: (to) => database.sql('outbox').where({ recipient: to }).orderBy('created_at').orderBy('id'),
  };
}

export const occasion = { at: Date.parse('2026-11-21T08:42:10Z'), ip: '203.0.113.7', browser: 'Chrome on Windows' };
