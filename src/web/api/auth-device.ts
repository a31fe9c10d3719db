import { z } from 'zod';
import type { Devices } from '../../devices/index.ts';
import type { SecretRing } from '../../shared/crypto.ts';
import { type AccountId, type ClientId, randomSecret } from '../../shared/ids.ts';
import type { RequestMeta } from '../request-meta.ts';

/** An installation of an app, as the app shows it: the cookie of those that have no cookies. */
export interface TryingApp {
  /** Its stable id; it proves nothing. */
  readonly id: string;
  /** Whose sign-in it comes from; absent when the app has none yet. */
  readonly owner?: string | undefined;
}

/** Installations of apps, known like browsers: what a stranger does wrong elsewhere does not pause them. */
export interface AppDevices {
  /** What a token says, or a new one for `new`; undefined for none, and for one that is not this client's. */
  read(client: ClientId, token: string | undefined): TryingApp | undefined;
  /** Notes a whole sign-in with it, and says what the app sends the next time this person signs in. */
  seen(client: ClientId, app: TryingApp, accountId: AccountId, meta: RequestMeta): Promise<string>;
}

/** The id of an installation, unless it comes from a sign-in of somebody else: the two have nothing to do with each other. */
export const idFor = ({ id, owner }: TryingApp, accountId: AccountId): string | undefined =>
  owner === undefined || owner === accountId ? id : undefined;

/** The field of a request. */
export const deviceField = z.string().min(1).max(600).optional().meta({
  description:
    'What the last sign-in of this person gave here, or `new` to be given one. Failures elsewhere do not pause whoever has it.',
});

const place = (client: ClientId) => ({ table: 'direct_sign_in', id: client, column: 'device' });
const content = z.object({ id: z.string(), owner: z.string() });

/** Makes them. A token is sealed for one client, and names one account. */
export const createAppDevices = (secrets: SecretRing, devices: Pick<Devices, 'seen'>): AppDevices => ({
  read(client, token) {
    if (token === 'new') return { id: randomSecret() };
    if (token === undefined || token.length > 600) return undefined;
    try {
      return content.parse(JSON.parse(secrets.open(token, place(client))));
    } catch {
      return undefined;
    }
  },

  async seen(client, app, accountId, meta) {
    const id = idFor(app, accountId) ?? randomSecret();
    await devices.seen(accountId, id, meta);
    return secrets.seal(JSON.stringify({ id, owner: accountId }), place(client));
  },
});
