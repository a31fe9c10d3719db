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
export const sealData = ({ secrets }: Pick<Needs, 'secrets'>, id: string, data: MailData[MailTemplate]): string =>
  secrets.seal(JSON.stringify(data), placeOf(id));

/** The words of a stored mail. @throws Error when they are not kept, or this release has no such template. */
function contentOf({ secrets, render }: Needs, { id, template, data }: OutboxMail): MailContent {
  if (data === undefined) throw new Error('The content of this mail was not kept.');
  const opened = JSON.parse(secrets.open(data, placeOf(id))) as MailData[MailTemplate];
  return render(template as MailTemplate, opened);
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
  const view = {
    id: mail.id,
    to: mail.to,
    from: name === undefined ? address : `${name} <${address}>`,
    at: mail.createdAt,
    status: mail.status,
    template: mail.template,
    ...(mail.error !== undefined && { error: mail.error }),
  };
  if (mail.data === undefined) return view;
  try {
    return { ...view, content: contentOf(needs, mail) };
  } catch (error) {
    return { ...view, error: reasonOf(error) };
  }
}
