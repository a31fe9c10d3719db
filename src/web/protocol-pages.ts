import type { Context } from 'koa';
import type { Client } from '../clients/index.ts';
import type { HostedPages, ProtocolError } from '../oidc/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { appCard } from './app-card.ts';
import type { AppIdentity, DevicePage } from './page-models.ts';
import type { PageWriter } from './page-writer.ts';

interface Needs {
  readonly pages: PageWriter;
  readonly clients: { find(id: string): Promise<Client | undefined> };
  readonly clock: Clock;
  readonly logger: Logger;
  /** Development shows developers what exactly is wrong; production keeps it in the log, under the reference. */
  readonly explain: boolean;
}

/** What a person reads for a protocol error. Everything else is a message for developers. */
const sentences: Readonly<Record<string, { title: string; message: string; ordinary?: boolean }>> = {
  expired: {
    title: 'This sign-in has expired',
    message: 'It was open for too long, or was finished in another tab. Nothing is lost: start again from the app.',
    ordinary: true,
  },
  invalid_client: {
    title: 'This app is not known here',
    message: 'The app that sent you is not registered, or was removed. Go back to it and tell its owner.',
  },
  invalid_redirect_uri: {
    title: 'This app is set up wrongly',
    message: 'The app asked to send you to an address that is not registered for it, so you stay here. Tell its owner.',
  },
  server_error: {
    title: 'Something failed on our side',
    message: 'It is written down under the reference below. Try again in a moment.',
  },
  temporarily_unavailable: {
    title: 'Back in a moment',
    message: 'The server cannot reach its database. Try again in a few seconds.',
  },
};
const other = {
  title: 'This request cannot go on',
  message:
    'The app that sent you asked for something that is not possible here. Go back to it and try again, or tell its owner.',
};

function kindOf({ error, description = '' }: ProtocolError): string {
  if (/expired|not found|session/i.test(description) && error === 'invalid_request') return 'expired';
  return error;
}

const deviceProblems: Readonly<Record<string, DevicePage['error']>> = {
  unknown: 'unknown',
  NotFoundError: 'unknown',
  NoCodeError: 'missing',
  ExpiredError: 'expired',
  AlreadyUsedError: 'used',
  AbortedError: 'refused',
};

/** Our pages for what the protocol shows by itself. */
export function createProtocolPages({ pages, clients, clock, logger, explain }: Needs): HostedPages {
  const appOf = async (clientId: string | undefined): Promise<AppIdentity | undefined> => {
    const client = clientId === undefined ? undefined : await clients.find(clientId).catch(() => undefined);
    return client && appCard(client);
  };

  return {
    async error(ctx: Context, problem, cause) {
      const reference = String(ctx.state.requestId);
      const detail = (cause as { error_detail?: string } | undefined)?.error_detail;
      logger.warn({ requestId: reference, ...problem, detail }, 'a protocol error page was shown');
      const app = await appOf(problem.clientId);
      await pages.show(
        ctx,
        'error',
        {
          ...(sentences[kindOf(problem)] ?? other),
          reference,
          time: new Date(clock.now()),
          ...(app && { app }),
          developer: explain ? problem : { error: problem.error, clientId: problem.clientId },
        },
        ctx.status,
      );
    },

    async confirmLogout(ctx, { action, xsrf, clientId }) {
      const app = await appOf(clientId);
      await pages.show(ctx, 'logout', { logout: { action, xsrf, stayName: app?.name }, ...(app && { app }) });
    },

    async signedOut(ctx, { clientId }) {
      const app = await appOf(clientId);
      ctx.set('clear-site-data', '"cache", "storage"');
      await pages.show(ctx, 'signed-out', { stillSignedIn: clientId !== undefined, ...(app && { app }) });
    },

    async deviceCode(ctx, { action, xsrf, userCode, problem }) {
      const error = problem === undefined ? undefined : (deviceProblems[problem] ?? 'failed');
      await pages.show(ctx, 'device', { action, xsrf, userCode, error }, error === undefined ? 200 : ctx.status);
    },

    async confirmDevice(ctx, { action, xsrf, userCode, clientId }) {
      await pages.show(ctx, 'device-confirm', {
        action,
        xsrf,
        userCode,
        app: (await appOf(clientId)) ?? { name: clientId },
      });
    },

    async goOn(ctx, form) {
      await pages.show(ctx, 'go-on', form, ctx.status);
    },

    async deviceDone(ctx, { clientId }) {
      await pages.show(ctx, 'device-done', { app: (await appOf(clientId)) ?? { name: 'your device' } });
    },
  };
}
