import type { AccountPage } from './account-pages.ts';
import { authenticatorPage } from './authenticator.ts';
import { backupCodesPage } from './backup-codes.ts';
import { overviewPage } from './overview.ts';
import { addPasskeyPage, passkeyOptionsPage, passkeyPage, passkeysPage } from './passkeys.ts';
import { passwordPage } from './password.ts';
import type { SecuritySurface } from './security-surface.ts';
import { rememberedPage, twoStepOffPage, twoStepPage } from './two-step.ts';

/** The overview and the pages about how somebody signs in. The one with a parameter comes last. */
export const securityPages = (surface: SecuritySurface): readonly AccountPage[] =>
  [
    overviewPage,
    passwordPage,
    twoStepPage,
    authenticatorPage,
    backupCodesPage,
    twoStepOffPage,
    rememberedPage,
    passkeysPage,
    addPasskeyPage,
    passkeyOptionsPage,
    passkeyPage,
  ].map((make) => make(surface));
