import { randomBytes } from 'node:crypto';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createPasskeys, type PasskeyOwner, type Passkeys, relyingPartyOf } from '../../src/passkeys/index.ts';
import { createSqlPasskeyStore } from '../../src/passkeys/passkey-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { newAccountId } from '../../src/shared/ids.ts';
import { type SqlLane, testDatabase } from '../support/database.ts';
import { type Authenticator, type AuthenticatorOptions, createAuthenticator } from './authenticator.ts';

export const related = 'https://shop.example.net';

/** The passkeys domain on real parts, with a clock of its own. */
export async function createFixture(lane: SqlLane, issuer = 'https://id.example.com') {
  const database = await testDatabase(lane);
  const clock = new FixedClock();
  const audit = createAuditLog(createSqlAuditStore(database), clock);
  const passkeys: Passkeys = createPasskeys({
    store: createSqlPasskeyStore(database),
    clock,
    audit,
    rp: relyingPartyOf(issuer, 'Sallyport', [related]),
  });

  const register = async (
    owner: PasskeyOwner,
    options: AuthenticatorOptions = {},
    name?: string,
  ): Promise<Authenticator> => {
    const authenticator = createAuthenticator({ origin: issuer, ...options });
    const creation = await passkeys.beginRegistration(owner, 'registering');
    await passkeys.finishRegistration(owner, 'registering', authenticator.create(creation), name);
    clock.advance(1); // The audit log lists the newest first, so that no two of a test are of one moment.
    return authenticator;
  };

  return {
    database,
    clock,
    passkeys,
    register,

    async newOwner(): Promise<PasskeyOwner> {
      const id = newAccountId();
      const email = `${randomBytes(6).toString('hex')}@example.com`;
      const now = new Date(clock.now());
      await database
        .sql('account')
        .insert({ id, email, email_key: email, status: 'active', created_at: now, updated_at: now });
      return { id, email, profile: { name: 'Alex Doe' } };
    },

    events: (owner: PasskeyOwner) => audit.list({ subject: owner.id, limit: 50 }),
  };
}

export type Fixture = Awaited<ReturnType<typeof createFixture>>;
