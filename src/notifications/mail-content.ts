import type { SecretRing } from '../shared/crypto.ts';
import { reasonOf } from '../shared/errors.ts';
import type { MailContent, MailData, MailTemplate, RenderMail } from './mail-template.ts';
import type { MailMessage } from './mail-transport.ts';
import type { Mailbox } from './mailbox.ts';
import type { OutboxMail, OutboxStatus } from './outbox-store.ts';

/** A mail as the development viewer shows it. */
export interface MailView {
  readonly id: string;
  readonly to: string;
  readonly from: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly status: OutboxStatus;
  readonly template: string;
  /** Absent when the content is not kept, or could not be made. */
  readonly content?: MailContent;
  readonly error?: string;
}

interface Needs {
  readonly secrets: SecretRing;
  readonly render: RenderMail;
  readonly from: Mailbox;
}

const placeOf = (id: string) => ({ table: 'outbox', id, column: 'data' });

/** What a mail is made of, sealed while it waits: links in it open accounts. */
export const sealData = (
  { secrets }: Pick<Needs, 'secrets'>,
  id: string,
  data: MailData[MailTemplate] | { readonly text: string },
): string => secrets.seal(JSON.stringify(data), placeOf(id));

function openData(secrets: SecretRing, { id, data }: OutboxMail): unknown {
  if (data === undefined) throw new Error('The content of this message was not kept.');
  return JSON.parse(secrets.open(data, placeOf(id)));
}

/** The words of a stored text message. @throws Error when they are not kept. */
export const openText = (secrets: SecretRing, message: OutboxMail): string =>
  (openData(secrets, message) as { text: string }).text;

/** A text message looks like a mail to the viewer. */
function textContent(text: string): MailContent {
  const escaped = text.replaceAll(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const html = `<!doctype html><meta charset="utf-8"><title>Text message</title><p style="white-space:pre-line">${escaped}</p>`;
  return { subject: 'Text message', text, html };
}

/** The words of a stored mail. @throws Error when they are not kept, or this release has no such template. */
function contentOf({ secrets, render }: Needs, mail: OutboxMail): MailContent {
  return render(mail.template as MailTemplate, openData(secrets, mail) as MailData[MailTemplate]);
}

/** A stored mail, ready for a mail server. @throws Error as {@link contentOf}. */
export function composeMail(needs: Needs, mail: OutboxMail): MailMessage {
  const { from } = needs;
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);
  return {
    ...contentOf(needs, mail),
    messageId: `${mail.id}@${domain}`,
    from,
    to: mail.to,
    date: mail.createdAt,
  };
}

/** A stored mail for the viewer; it never throws. */
export function viewMail(needs: Needs, mail: OutboxMail): MailView {
  const { name, address } = needs.from;
  const mailbox = name === undefined ? address : `${name} <${address}>`;
  const view = {
    id: mail.id,
    to: mail.to,
    from: mail.channel === 'text' ? 'the SMS gateway' : mailbox,
    at: mail.createdAt,
    status: mail.status,
    template: mail.template,
    ...(mail.error !== undefined && { error: mail.error }),
  };
  if (mail.data === undefined) return view;
  try {
    const text = mail.channel === 'text';
    return { ...view, content: text ? textContent(openText(needs.secrets, mail)) : contentOf(needs, mail) };
  } catch (error) {
    return { ...view, error: reasonOf(error) };
  }
}
