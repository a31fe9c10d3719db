import type { Context } from 'koa';
import { type Devices, hashDevice } from '../../devices/index.ts';
import type { Sessions } from '../../sessions/index.ts';
import type { DeviceCookie } from '../device-cookie.ts';
import type { PageWriter } from '../page-writer.ts';
import { metaOf } from '../request-meta.ts';
import { type AccountPage, type AccountVisit, seeDone } from './account-pages.ts';
import { type DeviceSources, readRemembered, readSessions } from './sessions-devices.ts';

interface Needs extends DeviceSources {
  readonly sessions: Pick<Sessions, 'list' | 'end' | 'endOthers'>;
  readonly devices: Pick<Devices, 'listRemembered' | 'rememberDays' | 'forget'>;
  readonly deviceCookie: Pick<DeviceCookie, 'read'>;
  readonly pages: PageWriter;
}

const path = '/sessions';
const endPath = '/sessions/end';

const notices = {
  ended: 'That device is signed out, and so are the apps it used.',
  over: 'That device was signed out already.',
  others: 'All other devices are signed out, and so are the apps they used.',
  none: 'No other device was signed in.',
  forgotten: 'That device is asked for the second factor again.',
  unknown: 'That device was not remembered any more.',
};

const byThemselves = ({ account }: AccountVisit) => ({ kind: 'account', id: account.id }) as const;

/** Who is signed in where, and the browsers that skip the second factor. */
const listPage = (needs: Needs): AccountPage => ({
  path,
  notices,

  async show(ctx, { account, session, shell, done }) {
    const sessions = await readSessions(needs, account.id, session.uid);
    const deviceId = needs.deviceCookie.read(ctx);
    const remembered = await readRemembered(needs, account.id, deviceId && hashDevice(deviceId));
    await needs.pages.show(ctx, 'account-sessions', {
      shell,
      done,
      sessions,
      others: sessions.filter(({ current }) => !current).length,
      remembered,
      remembers: needs.devices.rememberDays > 0,
    });
  },

  async submit(ctx, visit, form) {
    const how = { by: byThemselves(visit), reason: 'the person forgot it', meta: metaOf(ctx) };
    const forgotten = await needs.devices.forget(visit.account.id, form.get('device') ?? '', how);
    seeDone(ctx, path, forgotten ? 'forgotten' : 'unknown');
  },
});

async function showEnd(needs: Needs, ctx: Context, { account, session, shell }: AccountVisit): Promise<void> {
  const sessions = await readSessions(needs, account.id, session.uid);
  const others = sessions.filter(({ current }) => !current);
  const { session: id } = ctx.query;
  if (id === undefined) {
    if (others.length === 0) return seeDone(ctx, path, 'none');
    return needs.pages.show(ctx, 'account-sessions-end', { shell, others: others.length });
  }
  const chosen = sessions.find((candidate) => candidate.id === id);
  if (!chosen) return seeDone(ctx, path, 'over');
  return needs.pages.show(ctx, 'account-sessions-end', { shell, session: chosen, others: others.length });
}

/** Ends one session or all others. It wants a recent sign-in: whoever took a session must not end the person's (ASVS 7.5.2). */
const endPage = (needs: Needs): AccountPage => ({
  path: endPath,
  fresh: true,
  show: (ctx, visit) => showEnd(needs, ctx, visit),

  async submit(ctx, visit, form) {
    const { account, session } = visit;
    const [by, meta, id] = [byThemselves(visit), metaOf(ctx), form.get('session')];
    if (id !== undefined) {
      const ended = await needs.sessions.end(id, by, 'ended', { owner: account.id, meta });
      return seeDone(ctx, path, ended ? 'ended' : 'over');
    }
    const own = (await needs.sessions.list(account.id, session.uid)).find(({ current }) => current);
    const ended = await needs.sessions.endOthers(account.id, own?.id, by, meta);
    seeDone(ctx, path, ended > 0 ? 'others' : 'none');
  },
});

/** Makes the pages about sessions and devices. */
export const createSessionsPages = (needs: Needs): readonly AccountPage[] => [listPage(needs), endPage(needs)];
