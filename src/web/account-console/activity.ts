import type { AuditPlace, AuditReader, AuditRow } from '../../audit/index.ts';
import type { Clients } from '../../clients/index.ts';
import { describeDevice, deviceText } from '../../devices/index.ts';
import { consoleClientId } from '../../oidc/index.ts';
import type { AccountId } from '../../shared/ids.ts';
import type { PageWriter } from '../page-writer.ts';
import { type AccountPage, accountHome } from './account-pages.ts';
import { activityTypes, activityWords } from './activity-texts.ts';
import type { AccountActivityPage } from './data-page-models.ts';

interface Needs {
  readonly auditReader: AuditReader;
  readonly clients: Pick<Clients, 'find'>;
  readonly pages: PageWriter;
}

const path = '/activity';
const pageSize = 30;

const nameOf = ({ at, id }: AuditPlace): string => `${at}-${id}`;

/** The place that a link of ours names; undefined for anything else, which then begins at the newest. */
function placeOf(text: unknown): AuditPlace | undefined {
  const [, at, id] = /^(\d{1,14})-([a-z]{3}_[0-9a-z]{1,40})$/.exec(typeof text === 'string' ? text : '') ?? [];
  return at !== undefined && id !== undefined ? { at: Number(at), id } : undefined;
}

const others: Partial<Record<AuditRow['actor']['kind'], string>> = {
  account: 'an administrator',
  operator: 'an administrator',
  system: 'the server',
};

/** The row for its person: an administrator's or an app's address and browser are not theirs to see. */
async function describe(
  { clients }: Needs,
  row: AuditRow,
  own: AccountId,
): Promise<AccountActivityPage['events'][number]> {
  const { actor, clientId, ip, userAgent, at } = row;
  const self = actor.kind === 'account' && actor.id === own;
  const seen = self || actor.kind === 'stranger';
  // Our own pages are no app that somebody signs in to.
  const named = clientId !== undefined && clientId !== consoleClientId;
  const app = named ? (await clients.find(clientId))?.name : undefined;
  const device = userAgent === undefined ? undefined : deviceText(describeDevice(userAgent));
  return {
    ...activityWords(row, app),
    ...(!self && { by: others[actor.kind] }),
    ...(seen && { device, ip }),
    at: new Date(at),
  };
}

/** What was done with the account, newest first, a page at a time. */
export const createActivityPage = (needs: Needs): AccountPage => ({
  path,

  async show(ctx, { account, shell, done }) {
    const before = placeOf(ctx.query.before);
    const question = { types: activityTypes, before, limit: pageSize + 1 };
    const rows = await needs.auditReader.listOf(account.id, question);
    const shown = rows.slice(0, pageSize);
    const last = rows.length > pageSize ? shown.at(-1) : undefined;
    await needs.pages.show(ctx, 'account-activity', {
      shell,
      done,
      events: await Promise.all(shown.map((row) => describe(needs, row, account.id))),
      older: last && `${accountHome}${path}?before=${nameOf(last)}`,
      paged: before !== undefined,
    });
  },
});
