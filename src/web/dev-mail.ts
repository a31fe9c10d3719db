import Router from '@koa/router';
import type { Context } from 'koa';
import type { MailView, Notifications } from '../notifications/index.ts';
import { AppError } from '../shared/errors.ts';
import type { MailSummary } from './page-models.ts';
import type { PageWriter } from './page-writer.ts';

interface Needs {
  readonly notifications: Pick<Notifications, 'list' | 'find'>;
  readonly pages: PageWriter;
}

const newest = 50;

/** A mail is a stranger on our origin: it may have its own colours, and nothing else. */
const mailPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

const notes: Readonly<Record<MailView['status'], string | undefined>> = {
  pending: undefined,
  sent: 'Sent',
  dead: 'Given up',
  capped: 'Not sent: too many of its kind',
  refused: 'Not sent: no address',
};

const summaryOf = ({ id, to, at, template, content, status, error }: MailView): MailSummary => ({
  id,
  to,
  subject: content?.subject ?? template,
  at: new Date(at),
  note: notes[status] ?? error,
});

/** The mail viewer of development, `/dev/mail`: what was sent, or would have been. It changes nothing. */
export function createDevMailRoutes({ notifications, pages }: Needs): Router {
  const router = new Router();

  const get = async (ctx: Context): Promise<MailView> => {
    const mail = await notifications.find(String(ctx.params.id));
    if (!mail) throw new AppError('not_found', 'There is no such mail. The outbox forgets mails after a week.');
    return mail;
  };

  router.get('/dev/mail', async (ctx) => {
    const mails = await notifications.list(newest);
    await pages.show(ctx, 'mail', { messages: mails.map(summaryOf) });
  });

  router.get('/dev/mail/:id', async (ctx) => {
    const mail = await get(ctx);
    const htmlUrl = mail.content && `/dev/mail/${mail.id}/html`;
    const text = mail.content?.text ?? mail.error ?? 'The content of this mail was not kept.';
    await pages.show(ctx, 'mail-message', { ...summaryOf(mail), from: mail.from, text, htmlUrl });
  });

  router.get('/dev/mail/:id/html', async (ctx) => {
    const { content } = await get(ctx);
    if (!content) throw new AppError('not_found', 'The content of this mail was not kept.');
    ctx.set('Content-Security-Policy', mailPolicy);
    // A sandboxed document cannot also ask for a browsing context group of its own.
    ctx.set('Cross-Origin-Opener-Policy', 'unsafe-none');
    ctx.type = 'html';
    ctx.body = content.html;
  });

  return router;
}
