import { type AccountSettings, createAccountSettings, type SettingsParts } from '../account-settings/index.ts';
import { createSqlSettingsStore } from '../account-settings/settings-store-sql.ts';
import type { OneTimeSecrets } from '../one-time-secrets/index.ts';
import type { SignInPolicy } from '../sign-in/index.ts';
import { delaysOf } from '../sign-in/throttle.ts';
import { createSqlThrottleStore } from '../sign-in/throttle-store-sql.ts';
import type { Database } from '../storage/database.ts';

type Needs = Omit<SettingsParts, 'store' | 'throttle' | 'delays' | 'links'> & {
  readonly database: Database;
  readonly oneTimeSecrets: OneTimeSecrets;
  /** Wrong passwords are counted as sign-ins count them, in the same place. */
  readonly signInPolicy: SignInPolicy;
};

/** What people change about how they sign in. */
export const createSettings = ({ database, oneTimeSecrets, signInPolicy, ...parts }: Needs): AccountSettings =>
  createAccountSettings({
    ...parts,
    store: createSqlSettingsStore(database),
    throttle: createSqlThrottleStore(database),
    delays: delaysOf(signInPolicy),
    links: oneTimeSecrets.links,
  });
