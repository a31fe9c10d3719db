import type { SecretRing } from '../shared/crypto.ts';
import { composeMail, openText } from './mail-content.ts';
import type { RenderMail } from './mail-template.ts';
import type { MailTransport } from './mail-transport.ts';
import type { Mailbox } from './mailbox.ts';
import type { Channel, OutboxMail } from './outbox-store.ts';
import type { TextGateway } from './text-message.ts';

/** Carries the messages of one channel on: mails to a mail server, texts to a gateway. The outbox does the rest for both. */
export interface Sender {
  readonly channel: Channel;
  /** Resolves when the message was taken. @throws DeliveryFailure, or Error when its words cannot be made. */
  send(message: OutboxMail, signal: AbortSignal): Promise<void>;
}

interface MailNeeds {
  readonly secrets: SecretRing;
  readonly render: RenderMail;
  readonly from: Mailbox;
}

/** Mails, by SMTP. */
export const createMailSender = (needs: MailNeeds, transport: MailTransport): Sender => ({
  channel: 'mail',
  send: async (message, signal) => transport.send(composeMail(needs, message), signal),
});

/** Text messages, by a gateway. */
export const createTextSender = ({ secrets }: Pick<MailNeeds, 'secrets'>, gateway: TextGateway): Sender => ({
  channel: 'text',
  async send(message, signal) {
    const text = openText(secrets, message);
    await gateway.send({ id: message.id, to: message.to, kind: message.template, text }, signal);
  },
});
