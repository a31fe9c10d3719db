import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { bindingOf, contextOf, type MeSurface } from './me-surface.ts';
import { type Operation, operation, person } from './operation.ts';
import { Unprocessable } from './unprocessable.ts';

const tag = 'Password and second factor';
const access = person('account:security', 'recent');
const purpose = 'totp';
const codes = z.array(z.string());
const exampleCodes = ['4m7q-2x9b-1k5n', '8v3c-6z0w-2p4r'];

const setUp = ({ accountSettings }: MeSurface): Operation =>
  operation({
    method: 'post',
    path: '/me/2fa/setup',
    id: 'setUpTwoFactor',
    tag,
    summary: 'Start an authenticator app',
    description:
      'A secret for an authenticator app. It is the same for ten minutes or until it is confirmed; until then nothing changes, and an app that is in use goes on working.',
    access,
    replies: {
      200: {
        description: 'What to put into the authenticator app.',
        body: z.object({
          secret: z.string().meta({ description: 'Base32, to be typed.' }),
          uri: z.string().meta({ description: 'The same as an `otpauth:` URI, for a QR code.' }),
          replaces: z.boolean().meta({ description: 'Whether another app is in use until this one is confirmed.' }),
        }),
        example: {
          secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
          uri: 'otpauth://totp/Sallyport:mara@fernhill.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Sallyport',
          replaces: false,
        },
      },
    },
    handler: async ({ caller }) => ({
      status: 200,
      body: await accountSettings.beginTotp(caller.account, bindingOf(caller, purpose)),
    }),
  });

const confirm = ({ accountSettings }: MeSurface): Operation =>
  operation({
    method: 'post',
    path: '/me/2fa/confirm',
    id: 'confirmTwoFactor',
    tag,
    summary: 'Turn the authenticator app on',
    description:
      'The app that shows this code is in use from now on, and takes the place of one that was. An account that has no backup codes gets ten; they are told here and never again. An access token from before has no second factor: sensitive operations ask for a new sign-in.',
    access,
    body: z.strictObject({ code: z.string().max(64).meta({ description: 'What the app shows now.' }) }),
    example: { code: '492039' },
    refusals: {
      unprocessable: 'The app shows another code. Check the clock of its device and try the next code.',
      expired: 'There is nothing to confirm: it took longer than ten minutes, or is confirmed already.',
    },
    replies: {
      200: {
        description: 'Two-step verification is on.',
        body: z.object({
          replaced: z.boolean().meta({ description: 'Whether another app was in use before.' }),
          backup_codes: codes.meta({ description: 'New ones, when there were none. Each opens the second door once.' }),
        }),
        example: { replaced: false, backup_codes: exampleCodes },
      },
    },
    async handler({ caller, body, meta }) {
      const input = { binding: bindingOf(caller, purpose), code: body.code };
      const result = await accountSettings.confirmTotp(caller.account, input, contextOf(caller, meta));
      if (result.outcome === 'expired') throw new AppError('expired', 'There is no set-up to confirm. Start another.');
      if (result.outcome === 'wrong_code') {
        const text = 'The authenticator app shows another code right now.';
        throw new Unprocessable(text, { fields: { code: text } });
      }
      // The code was shown just now: this session need not show another one.
      if (caller.by.kind === 'browser') await caller.by.renew({ secondFactor: 'otp' });
      return { status: 200, body: { replaced: result.replaced, backup_codes: Array.from(result.backupCodes) } };
    },
  });

const disable = (surface: MeSurface): Operation =>
  operation({
    method: 'post',
    path: '/me/2fa/disable',
    id: 'disableTwoFactor',
    tag,
    summary: 'Turn two-step verification off',
    description:
      'Takes the authenticator app and the backup codes away. Every session and every token of the account ends, those of this request too.',
    access,
    refusals: {
      conflict: 'It is off already.',
      unprocessable: 'The password is too short to stand alone. Change it first.',
    },
    replies: { 204: { description: 'Two-step verification is off.' } },
    async handler({ caller, meta }) {
      const result = await surface.accountSettings.removeTotp(caller.account, contextOf(caller, meta));
      if (result.outcome === 'password_too_short') {
        throw new Unprocessable(
          `Without a second factor a password has ${result.minLength} characters or more. Change yours first.`,
        );
      }
      return { status: 204 };
    },
  });

const backupCodes = ({ accountSettings }: MeSurface): readonly Operation[] => [
  operation({
    method: 'get',
    path: '/me/backup-codes',
    id: 'countBackupCodes',
    tag,
    summary: 'Count your backup codes',
    description: 'How many are left. What they are is stored nowhere.',
    access: person('account:security'),
    replies: {
      200: {
        description: 'How many are left.',
        body: z.object({ left: z.int().min(0).meta({ description: 'Codes that were not used yet.' }) }),
        example: { left: 8 },
      },
    },
    async handler({ caller }) {
      const { factors } = await accountSettings.securityState(caller.account);
      return { status: 200, body: { left: factors.backupCodes } };
    },
  }),
  operation({
    method: 'post',
    path: '/me/backup-codes',
    id: 'makeBackupCodes',
    tag,
    summary: 'Make new backup codes',
    description: 'Ten other codes, told here and never again. Those of before stop working.',
    access,
    refusals: { conflict: 'Two-step verification is off, or other codes were made at the same moment.' },
    replies: {
      200: {
        description: 'The new codes.',
        body: z.object({ backup_codes: codes.meta({ description: 'Each opens the second door once.' }) }),
        example: { backup_codes: exampleCodes },
      },
    },
    async handler({ caller, meta }) {
      const made = await accountSettings.regenerateBackupCodes(caller.account, contextOf(caller, meta));
      return { status: 200, body: { backup_codes: Array.from(made) } };
    },
  }),
];

/** The authenticator app and the backup codes. */
export const twoFactorOperations = (surface: MeSurface): readonly Operation[] => [
  setUp(surface),
  confirm(surface),
  disable(surface),
  ...backupCodes(surface),
];
