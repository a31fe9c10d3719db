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
import { type MailView, sealData, viewMail } from './mail-content.ts';
import {
  type Cap,
  caps,
  type MailData,
  type MailTemplate,
  type RenderMail,
  type SharedCap,
  strangerCap,
} from './mail-template.ts';
import type { MailTransport } from './mail-transport.ts';
import { capKeyOf, deliverableAddress, type Mailbox } from './mailbox.ts';
import type { Channel, NewOutboxMail, OutboxStore } from './outbox-store.ts';
import { createMailSender, createTextSender, type Sender } from './sender.ts';
import {
  deliverableNumber,
  longestText,
  type NewText,
  type TextGateway,
  type TextKind,
  textCaps,
} from './text-message.ts';

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
 * `capped`: one too many for that mailbox or account. `refused`: no mail can go to that address, or no text to that
 * number. Both are recorded, and neither is an error: the action that the message is about goes on.
 */
export type SendOutcome = 'pending' | 'capped' | 'refused' | 'duplicate';

/** A message that a cap stopped, the first of its kind for its mailbox and account within the window of that cap. */
export interface Suppressed {
  readonly channel: Channel;
  readonly template: string;
  readonly account?: AccountId | undefined;
}

/** Mail and text messages to the people who have accounts. */
export interface Notifications {
  /** Puts a mail into the outbox, in the caller's transaction: it exists if and only if the action was committed. */
  send<Template extends MailTemplate>(mail: NewMail<Template>): Promise<SendOutcome>;
  /**
   * Puts a text message into the outbox, as {@link Notifications.send} does with a mail. Without a gateway it is `refused`.
   * @throws RangeError when the text is empty or longer than 500 characters.
   */
  sendText(text: NewText): Promise<SendOutcome>;
  /** Whether text messages arrive: there is a gateway, or the development viewer shows them. */
  readonly canText: boolean;
  /** Sends what is due now and says how many went. Without a mail server or gateway nothing does. */
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
  /** Over the mails together that a stranger can have sent. */
  readonly strangerCap: SharedCap;
  readonly textCaps: Readonly<Record<TextKind, Cap>>;
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
  /** Without one no text message is taken, except for the development viewer. */
  readonly gateway?: TextGateway | undefined;
  /** Told of suppressed messages, in the transaction of the sender; once in a window, however many there are. */
  readonly onSuppressed?: ((message: Suppressed) => Promise<void>) | undefined;
  readonly policy?: Partial<NotificationPolicy>;
}

const defaults: NotificationPolicy = {
  delivery: deliveryPolicy,
  caps,
  strangerCap,
  textCaps,
  keepSeconds: 7 * 86_400,
  viewer: false,
};
const usefulSeconds = { mail: 2 * 86_400, text: 600 } as const;
const batch = 1_000;

class Outbox implements Notifications {
  readonly #needs: Needs;
  readonly #policy: NotificationPolicy;

  constructor(needs: Needs) {
    this.#needs = needs;
    this.#policy = { ...defaults, ...needs.policy };
  }

  send<Template extends MailTemplate>({ to, template, data, ...mail }: NewMail<Template>): Promise<SendOutcome> {
    const { caps, strangerCap } = this.#policy;
    const id = `mail_${randomText(16)}`;
    const address = deliverableAddress(to);
    return this.#add({
      ...this.#times('mail', mail.expiresAt),
      id,
      channel: 'mail',
      template,
      to: address ?? '',
      capKey: sha256(address === undefined ? to : capKeyOf(address)),
      account: mail.account,
      data: sealData(this.#needs, id, data),
      dedupeKey: mail.dedupeKey,
      ...(address !== undefined && { cap: caps[template] }),
      ...(strangerCap.templates.includes(template) && { shared: strangerCap }),
    });
  }

  async sendText({ phoneNumber, kind, text, ...message }: NewText): Promise<SendOutcome> {
    if (text === '' || text.length > longestText) throw new RangeError('A text message has 1 to 500 characters.');
    const id = `text_${randomText(16)}`;
    const number = this.canText ? deliverableNumber(phoneNumber) : undefined;
    return this.#add({
      ...this.#times('text', message.expiresAt),
      id,
      channel: 'text',
      template: kind,
      to: number ?? '',
      capKey: sha256(`tel:${number ?? phoneNumber}`),
      account: message.account,
      data: sealData(this.#needs, id, { text }),
      dedupeKey: message.dedupeKey,
      ...(number !== undefined && { cap: this.#policy.textCaps[kind] }),
    });
  }

  get canText(): boolean {
    return this.#needs.gateway !== undefined || this.#policy.viewer;
  }

  async deliver(): Promise<number> {
    const done = await Promise.all(this.#senders().map((sender) => deliverDue(this.#deliveryParts(sender))));
    return done.reduce((sum, { sent }) => sum + sent, 0);
  }

  start(): AsyncDisposable {
    const { transport, logger } = this.#needs;
    if (!transport && !this.#policy.viewer) {
      logger.warn('No mail is sent: SALLYPORT_SMTP_URL is not set. Mails wait in the outbox for two days.');
    }
    const running = this.#senders().map((sender) => deliverRegularly(this.#deliveryParts(sender)));
    return {
      async [Symbol.asyncDispose]() {
        await Promise.all(running.map((loop) => loop[Symbol.asyncDispose]()));
      },
    };
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

  #times(channel: Channel, expiresAt: number | undefined): Pick<NewOutboxMail, 'createdAt' | 'expiresAt'> {
    const createdAt = this.#needs.clock.now();
    return { createdAt, expiresAt: expiresAt ?? createdAt + usefulSeconds[channel] * 1000 };
  }

  #add(message: NewOutboxMail): Promise<SendOutcome> {
    const { store, logger, onSuppressed } = this.#needs;
    const { id, channel, template, account } = message;
    return store.transaction(async () => {
      const { status, suppressed } = await store.add(message);
      if (status !== 'capped') return status;
      logger.info({ mail: id, channel, template }, 'a message was one too many for its recipient');
      if (suppressed === 0) await onSuppressed?.({ channel, template, account });
      return status;
    });
  }

  #senders(): Sender[] {
    const { transport, gateway } = this.#needs;
    return [
      ...(transport ? [createMailSender(this.#needs, transport)] : []),
      ...(gateway ? [createTextSender(this.#needs, gateway)] : []),
    ];
  }

  #deliveryParts(sender: Sender): DeliveryParts {
    const { store, clock, logger } = this.#needs;
    const { delivery, viewer } = this.#policy;
    return { store, clock, logger, sender, policy: delivery, keepContent: viewer };
  }
}

/** Makes the notifications domain. */
export const createNotifications = (needs: Needs): Notifications => new Outbox(needs);
