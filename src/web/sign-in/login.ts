import type { Account } from '../../accounts/index.ts';
import { asAccountId } from '../../shared/ids.ts';
import type { DoorInput, Refusal, SubmitResult } from '../../sign-in/index.ts';
import type { PasskeyAsk } from '../factor-models.ts';
import type { LoginError } from '../page-models.ts';
import { metaOf } from '../request-meta.ts';
import { announcePause, appOf, leave, openFlow, type SignInSurface, startOf, type Visit } from './context.ts';
import { deviceOf, keepToken } from './device.ts';
import type { Remember } from './remember.ts';
import { dispatch, goBack } from './steps.ts';

interface Shown {
  readonly username?: string;
  readonly remember?: boolean;
  readonly error?: LoginError;
  readonly pausedUntil?: Date | undefined;
  readonly signals?: PasskeyAsk['signals'];
}

/** Who is signed in to this browser, when the app wants to see their password again and names nobody else. */
async function knownPerson({ accounts }: SignInSurface, { interaction }: Visit): Promise<Account | undefined> {
  const { prompt, session, loginHint, hintedAccountId } = interaction;
  if (prompt !== 'login' || !session || (hintedAccountId ?? session.accountId) !== session.accountId) return undefined;
  const account = await accounts.find(asAccountId(session.accountId));
  if (account?.status !== 'active') return undefined;
  return [undefined, account.username, account.email].includes(loginHint) ? account : undefined;
}

/** A page that this sign-in is left for, and that leads back to it. */
const besideSignIn = (path: string, { interaction }: Visit): string =>
  `${path}?sign_in=${encodeURIComponent(interaction.uid)}`;

/** Its options are fetched by the script that needs them: a page that nobody uses a passkey on stores no challenge. */
const passkeyButton = ({ signIn }: SignInSurface, { base }: Visit, signals: Shown['signals']) =>
  signIn.passkeysUsable
    ? {
        passkeys: true,
        passkey: { options: { challenge: '', timeout: 0 } as const, fresh: `${base}/passkey-options`, signals },
      }
    : {};

const mailButton = ({ signIn: { emailSignIn } }: SignInSurface, { base }: Visit) =>
  emailSignIn === 'off' ? {} : { byMail: { href: `${base}/email`, kind: emailSignIn } };

async function show(surface: SignInSurface, visit: Visit, { signals, ...shown }: Shown, status = 200): Promise<void> {
  const demo = surface.demoAccounts();
  const known = await knownPerson(surface, visit);
  await surface.pages.show(
    visit.ctx,
    'login',
    {
      app: appOf(visit),
      action: visit.interaction.isNew ? visit.base : undefined,
      loginHint: visit.interaction.loginHint ?? known?.username ?? known?.email,
      again: known?.email,
      recoverUrl: besideSignIn('/account/forgot-password', visit),
      registerUrl: surface.registration.policy.mode === 'open' ? besideSignIn('/account/register', visit) : undefined,
      ...passkeyButton(surface, visit, signals),
      ...mailButton(surface, visit),
      ...shown,
      ...(demo.length > 0 && { demo: { accounts: demo } }),
    },
    status,
  );
}

export async function showLogin(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { step, proven, loginHint } = await openFlow(surface, visit);
  if (step !== 'password') return dispatch(surface, remember, visit);
  if (proven?.includes('passkey') && loginHint !== undefined) {
    return show(surface, visit, { username: loginHint, error: 'passkey-alone' });
  }
  // On arrival the query is the app's.
  const over = visit.interaction.isNew ? undefined : visit.ctx.query.over;
  return show(surface, visit, over === 'expired' || over === 'too-many-codes' ? { error: over } : {});
}

const refusalOf = (reason: Refusal): LoginError =>
  reason === 'paused' ? reason : reason === 'too_many_codes' ? 'too-many-codes' : 'mismatch';

/** What every way through the first door is given. */
export const doorInput = async (surface: SignInSurface, visit: Visit): Promise<DoorInput> => ({
  start: await startOf(surface, visit),
  finish: 'with-session',
  device: deviceOf(surface, visit),
  offersPasskey: true,
});

/** Goes on from a first door that is open, or says that a form came too late; false when the page has to say more. */
export async function leaveFirstDoor(
  surface: SignInSurface,
  remember: Remember,
  visit: Visit,
  result: SubmitResult,
  keep: boolean,
): Promise<boolean> {
  const { ctx, base } = visit;
  keepToken(surface, ctx, result);
  if (result.outcome === 'accepted') {
    if (result.finished) {
      if (!(await goBack(surface, visit, result.finished, keep))) await dispatch(surface, remember, visit);
    } else {
      remember.write(ctx, base, keep);
      await dispatch(surface, remember, visit, result.view);
    }
    return true;
  }
  // A form of a page that is done, for example sent again: where the sign-in stands decides.
  if (result.reason !== 'wrong_step' && result.reason !== 'expired') return false;
  await dispatch(surface, remember, visit);
  return true;
}

async function submitPasskey(
  surface: SignInSurface,
  remember: Remember,
  visit: Visit,
  response: string,
  typed: Pick<Shown, 'username' | 'remember'>,
): Promise<void> {
  const { signIn, passkeys } = surface;
  const input = { ...(await doorInput(surface, visit)), response };
  const result = await signIn.submitPasskey(visit.interaction.uid, input, metaOf(visit.ctx));
  if (await leaveFirstDoor(surface, remember, visit, result, typed.remember ?? false)) return;
  const signals = await passkeys.unknownSignal(response);
  return show(surface, visit, { ...typed, error: 'passkey', signals }, 422);
}

/** What passkeys the browser may ask for; at the second door only those of the person. */
export async function passkeyOptions(surface: SignInSurface, _remember: Remember, visit: Visit): Promise<void> {
  visit.ctx.body = await surface.signIn.beginPasskey(visit.interaction.uid, await startOf(surface, visit));
}

export async function submitLogin(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx } = visit;
  const form = await surface.forms.read(ctx);
  if (form.get('action') === 'cancel') return leave(surface, visit);
  const login = form.get('username')?.trim() ?? '';
  const password = form.get('password') ?? '';
  const typed = { username: login, remember: form.get('remember') === 'yes' };
  if (form.get('action') === 'passkey')
    return submitPasskey(surface, remember, visit, form.get('passkey') ?? '', typed);
  if (login === '' || password === '') return show(surface, visit, { ...typed, error: 'missing' }, 422);

  const meta = metaOf(ctx);
  const input = { ...(await doorInput(surface, visit)), login, password };
  const result = await surface.limits.attempt({ ip: meta.ip, login, deviceId: input.device?.id }, () =>
    surface.signIn.submitPassword(visit.interaction.uid, input, meta),
  );
  if (await leaveFirstDoor(surface, remember, visit, result, typed.remember)) return;
  if (result.outcome === 'accepted') return;
  const error = refusalOf(result.reason);
  if (error !== 'paused') return show(surface, visit, { ...typed, error }, 422);
  return show(surface, visit, { ...typed, error, pausedUntil: announcePause(ctx, result.retryAt) }, 429);
}
