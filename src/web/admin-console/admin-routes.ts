import Router from '@koa/router';
import type { Account } from '../../accounts/index.ts';
import type { AuditLog } from '../../audit/index.ts';
import type { ConsoleGuard } from '../console/console-guard.ts';
import { personOf } from '../console/console-shell.ts';
import type { AdminOverviewPage, ConsoleShell } from '../console-models.ts';
import type { PageWriter } from '../page-writer.ts';
import { addAuditDownload } from './audit-download.ts';
import { type AuditPageNeeds, addAuditPage } from './audit-page.ts';
import { auditPath } from './audit-query.ts';
import { createOverviewReader, type OverviewSources } from './overview.ts';
import { addSessionsPage, type SessionsPageNeeds, sessionsPath } from './sessions-page.ts';

interface Needs extends OverviewSources, AuditPageNeeds, SessionsPageNeeds {
  readonly guard: ConsoleGuard;
  readonly pages: PageWriter;
  readonly accounts: OverviewSources['accounts'] & AuditPageNeeds['accounts'];
  readonly clients: OverviewSources['clients'] & SessionsPageNeeds['clients'];
  readonly audit: OverviewSources['audit'] & Pick<AuditLog, 'record'>;
  readonly links: AdminOverviewPage['links'];
}

const home = '/admin';

const onThisPage: ConsoleShell['groups'][number] = {
  label: 'On this page',
  links: [
    { href: '#sign-ins', label: 'Sign-ins', icon: 'person' },
    { href: '#events', label: 'Latest events', icon: 'clock' },
    { href: '#keys', label: 'Signing keys', icon: 'key' },
    { href: '#apps', label: 'Apps', icon: 'apps' },
  ],
};

/** The navigation has only what exists; it grows with the console. */
const shellFor = (account: Account, path = home): ConsoleShell => ({
  area: 'Admin',
  home,
  who: personOf(account),
  groups: [
    {
      links: [
        { href: home, label: 'Overview', icon: 'seal', current: path === home },
        { href: sessionsPath, label: 'Sessions', icon: 'device', current: path === sessionsPath },
        { href: auditPath, label: 'Audit log', icon: 'list', current: path === auditPath },
      ],
    },
    ...(path === home ? [onThisPage] : []),
    {
      label: 'Elsewhere',
      links: [
        { href: '/account', label: 'Your account', icon: 'person' },
        { href: '/api/docs', label: 'API docs', icon: 'document' },
        { href: '/', label: 'Front page', icon: 'forward' },
      ],
    },
  ],
});

/** The admin console, for accounts with the role `admin`. It shows, and ends sessions. */
export function createAdminRoutes(needs: Needs): Router {
  const { guard, pages, links } = needs;
  const router = new Router();
  const read = createOverviewReader(needs);
  router.get(
    'admin',
    home,
    guard({ home, role: 'admin' }, async (ctx, { account }) => {
      await pages.show(ctx, 'admin-overview', { ...(await read()), shell: shellFor(account), links });
    }),
  );
  addAuditPage(router, needs, (account) => shellFor(account, auditPath));
  addAuditDownload(router, needs);
  addSessionsPage(router, needs, (account) => shellFor(account, sessionsPath));
  return router;
}
