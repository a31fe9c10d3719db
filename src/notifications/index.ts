// Notifications: mail and text messages to people about their accounts, at least once and never a flood. Owns table
// `outbox`. It knows no account and decides nothing about one: it takes a stored address or number. Needs nobody.
export { describeBrowser } from './browser-name.ts';
export { type DeliveryPolicy, deliveryPolicy } from './deliver-mail.ts';
export type { MailView } from './mail-content.ts';
export {
  type Cap,
  caps,
  type MailContent,
  type MailData,
  type MailTemplate,
  type RenderMail,
  type SharedCap,
  strangerCap,
} from './mail-template.ts';
export { DeliveryFailure, type MailMessage, type MailTransport } from './mail-transport.ts';
export { type Mailbox, parseMailbox } from './mailbox.ts';
export {
  createNotifications,
  type NewMail,
  type NotificationPolicy,
  type Notifications,
  type SendOutcome,
  type Suppressed,
} from './notifications.ts';
export type { Channel, OutboxStore } from './outbox-store.ts';
export type { Sender } from './sender.ts';
export { createSmsGateway, type SmsWebhook } from './sms-gateway.ts';
export { createSmtpTransport, readSmtpUrl, type SmtpServer } from './smtp-transport.ts';
export {
  codeText,
  type NewText,
  type TextGateway,
  type TextKind,
  type TextMessage,
  textCaps,
} from './text-message.ts';
