import { z } from 'zod';
import { actorOf, isoOf, type MeSurface } from './me-surface.ts';
import { type Operation, operation, person } from './operation.ts';

const tag = 'Your data';
const access = person('account:security', 'recent');

const exported = z
  .looseObject({
    format: z.literal('sallyport-account-export'),
    version: z.literal(1),
    exportedAt: z.iso.datetime(),
  })
  .meta({
    id: 'AccountExport',
    description: 'Everything that is stored about the person, in parts. A later version may add parts.',
  });

/** Everything about a person, to take along or to delete. */
export const dataOperations = ({ accountData }: MeSurface): readonly Operation[] => [
  operation({
    method: 'get',
    path: '/me/export',
    id: 'exportMyData',
    tag,
    summary: 'Download your data',
    description:
      'Everything that is stored about you, as one JSON file: the account, the kinds of factors, passkeys, apps, sessions, devices and up to 10,000 events. No password, key or code is in it.',
    access,
    replies: {
      200: {
        description: 'The file.',
        body: exported,
        headers: { 'Content-Disposition': 'A name for the file.' },
        example: { format: 'sallyport-account-export', version: 1, exportedAt: '2026-11-21T09:41:12.000Z' },
      },
    },
    async handler({ caller, meta }) {
      const data = await accountData.export(caller.account.id, actorOf(caller), meta);
      const name = `account-${data.exportedAt.slice(0, 10)}.json`;
      return {
        status: 200,
        headers: { 'Content-Disposition': `attachment; filename="${name}"` },
        body: data as unknown as z.input<typeof exported>,
      };
    },
  }),
  operation({
    method: 'delete',
    path: '/me',
    id: 'deleteMe',
    tag,
    summary: 'Delete your account',
    description:
      'Nobody can sign in to it any more, and every session and token ends at once. An administrator can bring it back until everything about it is removed.',
    access,
    refusals: { conflict: 'An administrator stopped the account at the same moment.' },
    replies: {
      200: {
        description: 'The account is deleted.',
        body: z.object({
          purged_at: z.iso.datetime().meta({ description: 'When everything about it will be removed.' }),
        }),
        example: { purged_at: '2026-12-21T09:42:00.000Z' },
      },
    },
    async handler({ caller, meta }) {
      const deleted = await accountData.delete(caller.account.id, actorOf(caller), meta);
      return { status: 200, body: { purged_at: isoOf(accountData.purgesAt(deleted) ?? deleted.updatedAt) } };
    },
  }),
];
