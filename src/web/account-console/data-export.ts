import type { AccountData } from '../../account-data/index.ts';
import type { PageWriter } from '../page-writer.ts';
import { metaOf } from '../request-meta.ts';
import type { AccountPage, AccountVisit } from './account-pages.ts';

interface Needs {
  readonly accountData: Pick<AccountData, 'export'>;
  readonly pages: PageWriter;
}

interface ExportFile {
  readonly name: string;
  readonly text: string;
}

const contents = [
  'Your account: names, addresses, roles and everything in your profile.',
  'How you sign in: the kinds of your factors and since when, and your passkeys. No password, no key and no code.',
  'Where you are signed in, and the browsers that are known or remembered.',
  'What you allowed which app.',
  'Your activity, up to 10,000 events.',
];

/** Gathers a file once for those who ask at the same moment in one browser: it reads a lot. */
function createFiles({
  accountData,
}: Needs): (ctx: Parameters<typeof metaOf>[0], visit: AccountVisit) => Promise<ExportFile> {
  const running = new Map<string, Promise<ExportFile>>();
  return (ctx, { account, session }) => {
    const gather = async (): Promise<ExportFile> => {
      const data = await accountData.export(account.id, { kind: 'account', id: account.id }, metaOf(ctx));
      const name = `account-${data.exportedAt.slice(0, 10)}.json`;
      return { name, text: `${JSON.stringify(data, null, 2)}\n` };
    };
    const key = `${account.id} ${session.uid}`;
    const file = running.get(key) ?? gather().finally(() => running.delete(key));
    running.set(key, file);
    return file;
  };
}

/** Everything that is stored about the person, as a file. It wants a recent sign-in, as whoever takes it takes it all. */
export function createExportPage(needs: Needs): AccountPage {
  const fileOf = createFiles(needs);
  return {
    path: '/data/export',
    fresh: true,
    show: (ctx, { shell }) => needs.pages.show(ctx, 'account-export', { shell, contents }),
    async submit(ctx, visit) {
      const { name, text } = await fileOf(ctx, visit);
      ctx.attachment(name);
      ctx.type = 'application/json';
      ctx.body = text;
    },
  };
}
