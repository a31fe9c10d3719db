import { metaOf } from '../request-meta.ts';
import { appOf, leave, openFlow, type SignInSurface, type Visit } from './context.ts';
import type { Remember } from './remember.ts';
import { dispatch } from './steps.ts';

/** Loaded by the first enrolment: a start does not wait for it. */
const drawQrCode = async (uri: string): Promise<string> =>
  (await import('qrcode')).toString(uri, { type: 'svg', margin: 0 });

async function show(surface: SignInSurface, visit: Visit, wrongCode: boolean): Promise<void> {
  const { secret, uri, label } = await surface.signIn.beginEnrolment(visit.interaction.uid);
  await surface.pages.show(
    visit.ctx,
    'enroll-totp',
    {
      app: appOf(visit),
      who: label,
      key: secret,
      uri,
      qrSvg: await drawQrCode(uri),
      error: wrongCode ? 'mismatch' : undefined,
    },
    wrongCode ? 422 : 200,
  );
}

export async function showEnrolment(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { step } = await openFlow(surface, visit);
  if (step !== 'enroll-totp') return dispatch(surface, remember, visit);
  return show(surface, visit, false);
}

export async function submitEnrolment(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx, interaction } = visit;
  const form = await surface.forms.read(ctx);
  if (form.get('action') === 'cancel') {
    return leave(surface, visit);
  }
  const view = await openFlow(surface, visit);
  // The codes are shown in answer to a post to this address, so their own form comes here as well.
  if (view.step === 'show-backup-codes') return submitBackupCodes(surface, remember, visit);
  if (view.step !== 'enroll-totp') return dispatch(surface, remember, visit);
  const result = await surface.signIn.confirmEnrolment(interaction.uid, form.get('code') ?? '', metaOf(ctx));
  if (result.outcome !== 'accepted') {
    if (result.reason === 'wrong_code') return show(surface, visit, true);
    return dispatch(surface, remember, visit);
  }
  // The only moment at which the codes exist in clear: they go from here to the person and nowhere else.
  const app = appOf(visit);
  await surface.pages.show(ctx, 'backup-codes', { app, who: view.account?.label ?? '', codes: result.backupCodes });
}

const codePattern = /^[0-9a-z-]{8,40}$/;

export async function submitBackupCodes(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx, interaction } = visit;
  const form = await surface.forms.read(ctx);
  if (form.get('action') === 'download') {
    const codes = (form.get('codes') ?? '')
      .split(/\s+/)
      .filter((code) => codePattern.test(code))
      .slice(0, 20);
    ctx.attachment('sallyport-backup-codes.txt');
    ctx.type = 'text/plain';
    ctx.body = `Sallyport backup codes. Each opens the second door once.\r\n\r\n${codes.join('\r\n')}\r\n`;
    return;
  }
  const view = await openFlow(surface, visit);
  if (form.get('action') === 'renew' && view.step === 'show-backup-codes') {
    const codes = await surface.signIn.renewBackupCodes(interaction.uid, metaOf(ctx));
    return surface.pages.show(ctx, 'backup-codes', { app: appOf(visit), who: view.account?.label ?? '', codes });
  }
  if (form.get('stored') === 'yes' && view.step === 'show-backup-codes')
    await surface.signIn.acknowledgeBackupCodes(interaction.uid);
  await dispatch(surface, remember, visit);
}

/** Someone came back by reload or the back button. Codes are shown once; new ones are made only when asked for. */
export async function showBackupCodes(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const view = await openFlow(surface, visit);
  if (view.step !== 'show-backup-codes') return dispatch(surface, remember, visit);
  const model = { app: appOf(visit), who: view.account?.label ?? '', codes: [] };
  await surface.pages.show(visit.ctx, 'backup-codes', model);
}
