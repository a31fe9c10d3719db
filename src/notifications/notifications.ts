import type { Clock } from '../shared/clock.ts';
import { type SecretRing, sha256 } from '../shared/crypto.ts';
import { type AccountId, randomText } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import {
  type DeliveryParts,
  type DeliveryPolicy,
  deliverDue,
  deliverRegularly,
  deliveryPolicy,
} from './deliver-mail.ts';
import { composeMail, type MailView, sealData, viewMail } from './mail-content.ts';
import { type Cap, caps, type MailData, type MailTemplate, type RenderMail } from './mail-template.ts';
import type { MailMessage, MailTransport } from './mail-transport.ts';
import { capKeyOf, deliverableAddress, type Mailbox } from './mailbox.ts';
import type { OutboxMail, OutboxStore } from './outbox-store.ts';

/** A mail to be sent. */
export interface NewMail<Template extends MailTemplate> {
  /** The address as it is stored with the account, never as it was typed into a form. */
  readonly to: string;
  readonly template: Template;
  readonly data: MailData[Template];
  /** A second mail with the same key is not made, while the first is remembered. */
  readonly dedupeKey?: string | undefined;
  /** Whom it is about; {@link Notifications.forget} finds it by this. */
  readonly account?: AccountId | undefined;
  /** From when on it is of no use, milliseconds. Default: two days from now. */
  readonly expiresAt?: number | undefined;
}

/**
 * `capped`: one too many for that mailbox. `refused`: no mail can go to that address. Both are recorded, and neither is
 * an error: the action that the mail is about goes on.
 */
export type SendOutcome = 'pending' | 'capped' | 'refused' | 'duplicate';

/** Mail to the people who have accounts. */
export interface Notifications {
  /** Puts a mail into the outbox, in the caller's transaction: it exists if and only if the action was committed. */
  send<Template extends MailTemplate>(mail: NewMail<Template>): Promise<SendOutcome>;
  /** Sends what is due now and says how many went. Without a mail server nothing does. */
  deliver(): Promise<number>;
  /** Sends what is due, from now until it is disposed. Without a mail server it says so in the log, once. */
  start(): AsyncDisposable;
  /** The newest mails, for the development viewer. */
  list(limit: number): Promise<MailView[]>;
  find(id: string): Promise<MailView | undefined>;
  /** Gives up what came too late, deletes what is over, in batches, and says how many rows. */
  purge(): Promise<number>;
  /** Deletes every mail about an account, so that nothing personal is left behind. */
  forget(account: AccountId): Promise<void>;
}

export interface NotificationPolicy {
  readonly delivery: DeliveryPolicy;
  readonly caps: Readonly<Record<MailTemplate, Cap>>;
  /** How long a mail that is over is remembered, for caps and for questions. */
  readonly keepSeconds: number;
  /** Development: the content of every mail stays readable in the outbox. */
  readonly viewer: boolean;
}

interface Needs {
  readonly store: OutboxStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secrets: SecretRing;
  readonly render: RenderMail;
  readonly from: Mailbox;
  /** Without one, mails wait in the outbox. */
  readonly transport?: MailTransport | undefined;
  readonly policy?: Partial<NotificationPolicy>;
}

const defaults: NotificationPolicy = { delivery: deliveryPolicy, caps, keepSeconds: 7 * 86_400, viewer: false };
const usefulSeconds = 2 * 86_400;
const batch = 1_000;

class Outbox implements Notifications {
  readonly #needs: Needs;
  readonly #policy: NotificationPolicy;

  constructor(needs: Needs) {
    this.#needs = needs;
    this.#policy = { ...defaults, ...needs.policy };
  }

  async send<Template extends MailTemplate>(mail: NewMail<Template>): Promise<SendOutcome> {
    const { store, clock, logger } = this.#needs;
    const { to, template, data, dedupeKey, account } = mail;
    const id = `mail_${randomText(16)}`;
    const address = deliverableAddress(to);
    const createdAt = clock.now();
    const outcome = await store.transaction(() =>
      store.add({
        id,
        template,
        to: address ?? '',
        capKey: sha256(address === undefined ? to : capKeyOf(address)),
        account,
        data: sealData(this.#needs, id, data),
        dedupeKey,
        createdAt,
        expiresAt: mail.expiresAt ?? createdAt + usefulSeconds * 1000,
        ...(address !== undefined && { cap: this.#policy.caps[template] }),
      }),
    );
    if (outcome === 'capped') logger.info({ mail: id, template }, 'a mail was one too many for its mailbox');
    return outcome;
  }

  async deliver(): Promise<number> {
    const parts = this.#deliveryParts();
    return parts ? (await deliverDue(parts)).sent : 0;
  }

  start(): AsyncDisposable {
    const parts = this.#deliveryParts();
    if (parts) return deliverRegularly(parts);
    if (!this.#policy.viewer) {
      this.#needs.logger.warn('No mail is sent: SALLYPORT_SMTP_URL is not set. Mails wait in the outbox for two days.');
    }
    return { [Symbol.asyncDispose]: async () => undefined };
  }

  async list(limit: number): Promise<MailView[]> {
    return (await this.#needs.store.list(limit)).map((mail) => viewMail(this.#needs, mail));
  }

  async find(id: string): Promise<MailView | undefined> {
    const mail = await this.#needs.store.find(id);
    return mail && viewMail(this.#needs, mail);
  }

  async purge(): Promise<number> {
    const { store, clock } = this.#needs;
    const now = clock.now();
    let total = 0;
    for (let removed = batch; removed >= batch; total += removed) {
      removed = await store.purge(now, now - this.#policy.keepSeconds * 1000, batch);
    }
    return total;
  }

  forget(account: AccountId): Promise<void> {
    return this.#needs.store.removeOf(account);
  }

  #deliveryParts(): DeliveryParts | undefined {
    const { store, clock, logger, transport } = this.#needs;
    const { delivery, viewer } = this.#policy;
    if (!transport) return undefined;
    const compose = (mail: OutboxMail): MailMessage => composeMail(this.#needs, mail);
    return { store, clock, logger, transport, policy: delivery, keepContent: viewer, compose };
  }
}

/** Makes the notifications domain. */
export const createNotifications = (needs: Needs): Notifications => new Outbox(needs);
