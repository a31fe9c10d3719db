import type { Context } from 'koa';
import { fewBackupCodes } from '../../account-settings/index.ts';
import { deviceText } from '../../devices/index.ts';
import { metaOf } from '../request-meta.ts';
import { type AccountPage, type AccountVisit, seeDone } from './account-pages.ts';
import { dateOf, type SecuritySurface } from './security-surface.ts';

/** How the second door stands, and the ways to change it. */
export const twoStepPage = ({ settings, devices, pages }: SecuritySurface): AccountPage => ({
  path: '/two-step',
  notices: {
    on: 'Two-step verification is on. From now on a sign-in also asks for a code from your phone.',
    stored: 'Your backup codes are set. Each opens the second door once.',
    replaced:
      'The new authenticator app is in use. The old one does not work any more, and your backup codes still do.',
    off: 'Two-step verification is off. Your backup codes are gone, and you were signed out everywhere.',
    removed:
      'Your authenticator app is removed. Your passkey is the second step now, and you were signed out everywhere.',
    forgotten: 'Every browser shows the second factor at its next sign-in.',
  },
  async show(ctx, { account, shell, done }) {
    const { factors, times, passkeys, secondFactor, rememberedDevices } = await settings.securityState(account);
    await pages.show(ctx, 'account-two-step', {
      shell,
      done,
      ...(factors.totp && { authenticator: { addedAt: dateOf(times.totp) } }),
      isOn: secondFactor,
      backupCodes: factors.backupCodes,
      fewBackupCodes: factors.backupCodes <= fewBackupCodes,
      ...(devices.rememberDays > 0 && { remembered: rememberedDevices }),
      passkeys: passkeys.length,
    });
  },
});

async function showOff(
  { settings, pages, demandingApps, passwordPolicy }: SecuritySurface,
  ctx: Context,
  { account, shell, done }: AccountVisit,
  refused: boolean,
): Promise<void> {
  const { factors, passkeys, passkeysUsable, passwordIsShort } = await settings.securityState(account);
  if (!factors.totp) return void ctx.redirect('/account/two-step');
  const passkeyRemains = passkeysUsable && passkeys.length > 0;
  const { minLength } = await passwordPolicy.rulesFor(false, account.id);
  const model = {
    shell,
    done,
    backupCodes: factors.backupCodes,
    demandedBy: await demandingApps(account.id),
    passkeyRemains,
    ...(passwordIsShort && !passkeyRemains && { needsLength: minLength }),
    refused,
  };
  await pages.show(ctx, 'account-two-step-off', model, refused ? 422 : 200);
}

/** The page where the second door is taken away. */
export const twoStepOffPage = (surface: SecuritySurface): AccountPage => ({
  path: '/two-step/off',
  fresh: true,
  show: (ctx, visit) => showOff(surface, ctx, visit, false),
  async submit(ctx, visit) {
    const result = await surface.settings.removeTotp(visit.account, metaOf(ctx));
    if (result.outcome !== 'removed') return showOff(surface, ctx, visit, true);
    const { secondFactor } = await surface.settings.securityState(visit.account);
    seeDone(ctx, '/two-step', secondFactor ? 'removed' : 'off');
  },
});

/** The page with the browsers that skip the second door. */
export const rememberedPage = ({ settings, devices, pages }: SecuritySurface): AccountPage => ({
  path: '/two-step/remembered',
  fresh: true,
  async show(ctx, { account, shell, done }) {
    const list = await devices.listRemembered(account.id);
    await pages.show(ctx, 'account-remembered', {
      shell,
      done,
      devices: list.map((device) => ({
        name: deviceText(device) ?? 'Unknown browser',
        ip: device.lastIp,
        usedAt: new Date(device.lastUsedAt),
        until: new Date(device.expiresAt),
      })),
    });
  },
  async submit(ctx, { account }) {
    await settings.forgetRememberedDevices(account, metaOf(ctx));
    seeDone(ctx, '/two-step', 'forgotten');
  },
});
