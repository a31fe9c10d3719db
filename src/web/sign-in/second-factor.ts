import type { FlowView, Refusal, SecondFactor, SubmitResult } from '../../sign-in/index.ts';
import type { PasskeyAsk } from '../factor-models.ts';
import { metaOf } from '../request-meta.ts';
import { announcePause, appOf, openFlow, type SignInSurface, seeOther, type Visit } from './context.ts';
import { deviceOf, rememberDevice } from './device.ts';
import { firstDoorOf } from './doors.ts';
import type { Remember } from './remember.ts';
import { dispatch } from './steps.ts';

/** The pages of the second door, and what opens it there. */
export const secondDoorPages = {
  totp: 'totp',
  passkey: 'passkey',
  'backup-code': 'backup_code',
  'email-code': 'email',
} as const satisfies Record<string, SecondFactor>;

export type SecondDoorName = keyof typeof secondDoorPages;

const troubles = { wrong_code: 'mismatch', used_code: 'used', paused: 'paused', mismatch: 'mismatch' } as const;
type Trouble = keyof typeof troubles;
const isTrouble = (reason: Refusal): reason is Trouble => Object.hasOwn(troubles, reason);

interface Shown {
  readonly error?: Trouble;
  readonly retryAt?: number | undefined;
  readonly signals?: PasskeyAsk['signals'];
  readonly mail?: { readonly sentAgain?: boolean; readonly limited?: boolean };
}

const otherWays: Record<SecondFactor, { readonly action: string; readonly label: string } | undefined> = {
  totp: { action: 'back', label: 'Use your authenticator app' },
  // A button of its own, which needs the script.
  passkey: undefined,
  backup_code: { action: 'backup-code', label: 'Use a backup code' },
  email: { action: 'email-code', label: 'Get a code by mail' },
};

/** A fresh challenge for the person's own passkeys. */
async function passkeyAsk(
  { signIn }: SignInSurface,
  { interaction, base }: Visit,
  signals: PasskeyAsk['signals'],
): Promise<PasskeyAsk> {
  const options = await signIn.beginPasskey(interaction.uid);
  return { options, fresh: `${base}/passkey-options`, signals };
}

/** How the usual way is called on the page of backup codes; empty when these are the only one. */
const backLabel = ([usual]: readonly SecondFactor[]): string =>
  usual === 'totp' ? 'Back to the six-digit code' : usual === 'passkey' ? 'Back to your passkey' : '';

async function show(
  surface: SignInSurface,
  visit: Visit,
  page: SecondDoorName,
  view: FlowView,
  { error, retryAt, signals, mail }: Shown = {},
): Promise<void> {
  const { pages, devices } = surface;
  const { ways = [], factors } = view;
  const others = ways.flatMap((way) => (way === secondDoorPages[page] ? [] : (otherWays[way] ?? [])));
  const model = {
    app: appOf(visit),
    who: view.account?.label ?? '',
    pausedUntil: announcePause(visit.ctx, retryAt),
    attemptsLeft: view.attemptsLeft,
    firstDoor: firstDoorOf(view),
    trustDays: devices.rememberDays > 0 ? devices.rememberDays : undefined,
    others,
  };
  const status = error === undefined ? 200 : error === 'paused' ? 429 : 422;
  const trouble = error && troubles[error];
  const byPasskey = ways.includes('passkey');
  const passkey = byPasskey && (page === 'totp' || page === 'passkey') ? await passkeyAsk(surface, visit, signals) : {};
  switch (page) {
    case 'totp': {
      const backupCodes = factors.backupCodes > 0;
      return pages.show(
        visit.ctx,
        page,
        { ...model, error: trouble, backupCodes, passkeys: byPasskey, passkey },
        status,
      );
    }
    case 'passkey':
      return pages.show(visit.ctx, page, { ...model, error: error && 'mismatch', passkey }, status);
    case 'backup-code': {
      const more = { error: trouble, remaining: factors.backupCodes, back: backLabel(ways) };
      return pages.show(visit.ctx, page, { ...model, ...more }, status);
    }
    case 'email-code':
      return pages.show(visit.ctx, page, { ...model, ...mail, error: trouble }, status);
  }
}

const hasWay = ({ step, ways = [] }: FlowView, page: SecondDoorName): boolean =>
  step === 'second-factor' && ways.includes(secondDoorPages[page]);

export async function showSecondFactor(
  surface: SignInSurface,
  remember: Remember,
  visit: Visit,
  page: SecondDoorName,
): Promise<void> {
  const view = await openFlow(surface, visit);
  if (!hasWay(view, page)) return dispatch(surface, remember, visit);
  if (page !== 'email-code') return show(surface, visit, page, view);
  const { outcome } = await surface.signIn.mailSecondStep(visit.interaction.uid, false, metaOf(visit.ctx));
  return show(surface, visit, page, view, { mail: { limited: outcome === 'limited' } });
}

async function answer(
  surface: SignInSurface,
  remember: Remember,
  visit: Visit,
  page: SecondDoorName,
  result: SubmitResult,
  signals?: PasskeyAsk['signals'],
): Promise<void> {
  if (result.outcome === 'accepted') return dispatch(surface, remember, visit, result.view);
  // Without a view nothing is stored: the sign-in is over, or has not begun.
  if (result.reason === 'wrong_step' || !result.view) return dispatch(surface, remember, visit);
  const { reason, retryAt, view } = result;
  if (isTrouble(reason) && hasWay(view, page)) {
    return show(surface, visit, page, view, {
      error: reason,
      retryAt: reason === 'paused' ? retryAt : undefined,
      signals,
    });
  }
  // The challenge is over: too many codes, too late, or the account is paused. The first door says so.
  const over = result.reason === 'too_many_codes' || result.reason === 'paused' ? 'too-many-codes' : 'expired';
  seeOther(visit.ctx, `${visit.base}/login?over=${over}`);
}

/** Where a button leads that opens no door. */
const elsewhere: Readonly<Record<string, string>> = {
  'backup-code': 'backup-code',
  'email-code': 'email-code',
  back: 'second-factor',
};

async function restart(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { uid } = visit.interaction;
  if (await surface.signIn.view(uid)) await surface.signIn.restart(uid);
  return dispatch(surface, remember, visit);
}

async function resend(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { outcome, view } = await surface.signIn.mailSecondStep(visit.interaction.uid, true, metaOf(visit.ctx));
  if (!view || !hasWay(view, 'email-code')) return dispatch(surface, remember, visit);
  const mail = { sentAgain: outcome === 'sent' || outcome === 'waits', limited: outcome === 'limited' };
  return show(surface, visit, 'email-code', view, { mail });
}

/** Looks at what was posted, by whichever way it opens the door. */
function submit(
  { signIn, ...surface }: SignInSurface,
  visit: Visit,
  page: SecondDoorName,
  posted: { readonly code: string; readonly passkey: string | undefined },
): Promise<SubmitResult> {
  const { uid } = visit.interaction;
  const meta = metaOf(visit.ctx);
  const device = deviceOf(surface, visit);
  if (posted.passkey !== undefined) return signIn.submitPasskey(uid, { response: posted.passkey, device }, meta);
  if (page === 'backup-code') return signIn.submitBackupCode(uid, posted.code, meta, device);
  if (page === 'email-code') return signIn.submitEmailCode(uid, posted.code, meta, device);
  return signIn.submitTotp(uid, posted.code, meta, device);
}

export async function submitSecondFactor(
  surface: SignInSurface,
  remember: Remember,
  visit: Visit,
  page: SecondDoorName,
): Promise<void> {
  const { ctx, base } = visit;
  const form = await surface.forms.read(ctx);
  const action = form.get('action') ?? '';
  if (Object.hasOwn(elsewhere, action)) return seeOther(ctx, `${base}/${elsewhere[action]}`);
  if (action === 'restart') return restart(surface, remember, visit);
  if (action === 'resend') return resend(surface, remember, visit);
  const passkey = action === 'passkey' || page === 'passkey' ? (form.get('passkey') ?? '') : undefined;
  const result = await submit(surface, visit, page, { code: form.get('code') ?? '', passkey });
  // A key at the first door may be accepted and open nothing yet: only who came through both has a browser to remember.
  const isThrough =
    result.outcome === 'accepted' && result.view.step !== 'password' && result.view.step !== 'second-factor';
  const accountId = isThrough ? result.view.account?.id : undefined;
  if (accountId !== undefined && form.get('trust') === 'yes') await rememberDevice(surface, ctx, accountId);
  const refused = result.outcome === 'refused' && passkey !== undefined;
  const signals = refused ? await surface.passkeys.unknownSignal(passkey) : undefined;
  return answer(surface, remember, visit, page, result, signals);
}
