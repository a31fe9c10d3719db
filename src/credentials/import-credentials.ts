import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import type { AccountId } from '../shared/ids.ts';
import type { CredentialStore } from './credential-store.ts';
import type { PasswordMemory } from './credentials.ts';
import { activeAt } from './totp-factor.ts';

/** Gives new accounts what they proved themselves with elsewhere. Whoever makes the accounts audits it. */
export interface CredentialImport {
  /** `stored` is what {@link readForeignHash} made of a hash. Nobody knows the password, so no policy looks at it. */
  setPasswordHash(
    accountId: AccountId,
    stored: string,
    marks?: { readonly mustChange?: boolean | undefined; readonly changedAt?: number | undefined },
  ): Promise<void>;
  /** `secret` is what {@link readTotpSecret} made of it. An authenticator that is enrolled already stays. */
  setTotp(accountId: AccountId, secret: string): Promise<void>;
}

interface Needs {
  readonly store: CredentialStore;
  readonly memory?: PasswordMemory;
  readonly clock: Clock;
  readonly secrets: SecretRing;
}

const binding = 'import';

/** Makes the part of the credentials domain that takes over what others made. */
export const createCredentialImport = ({ store, memory, clock, secrets }: Needs): CredentialImport => ({
  async setPasswordHash(accountId, stored, { mustChange = false, changedAt } = {}) {
    const setAt = changedAt ?? clock.now();
    const settings = await memory?.settingsFor(accountId);
    await store.transaction(async () => {
      await store.passwords.put(accountId, stored, setAt);
      if (!memory || !settings) return;
      const record = { hash: stored, setAt, keep: settings.history, mustChange, shortAlone: false };
      await memory.store.put(accountId, record);
    });
  },

  async setTotp(accountId, secret) {
    const now = clock.now();
    const sealed = secrets.seal(secret, activeAt(accountId));
    await store.transaction(async () => {
      await store.totp.openPending({ accountId, binding, sealed, expiresAt: now + 1 }, now);
      // No code was used here yet, so every present one is good once.
      await store.totp.activate({ accountId, binding, sealed }, { sealed, step: 0, at: now, onlyFirst: true });
    });
  },
});
