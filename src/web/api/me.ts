import { activityOperations } from './me-activity.ts';
import { appOperations } from './me-apps.ts';
import { dataOperations } from './me-data.ts';
import { passkeyOperations } from './me-passkeys.ts';
import { passwordOperations } from './me-password.ts';
import { profileOperations } from './me-profile.ts';
import { sessionOperations } from './me-sessions.ts';
import type { MeSurface } from './me-surface.ts';
import { twoFactorOperations } from './me-two-factor.ts';
import type { Operation } from './operation.ts';

export type { MeSurface } from './me-surface.ts';

/** What people do with their own account, in the order of the docs. */
export const meOperations = (surface: MeSurface): readonly Operation[] =>
  [
    profileOperations,
    passwordOperations,
    twoFactorOperations,
    passkeyOperations,
    sessionOperations,
    appOperations,
    activityOperations,
    dataOperations,
  ].flatMap((make) => make(surface));
