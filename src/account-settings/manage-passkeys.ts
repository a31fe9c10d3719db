import type { Account } from '../accounts/index.ts';
import type { CreationOptions, Passkey } from '../passkeys/index.ts';
import { AppError } from '../shared/errors.ts';
import { type ChangeContext, factorsOf, type SettingsParts } from './parts.ts';

/** What the browser makes a passkey from. `binding` names the session, and has to be the same in {@link addPasskey}. @throws AppError `conflict` for one too many */
export const beginPasskey = (
  { passkeys }: SettingsParts,
  account: Account,
  binding: string,
): Promise<CreationOptions> => passkeys.beginRegistration(account, binding);

/** Adds what the browser made, once. Without a name it gets one. @throws AppError `invalid_input`, `expired`, `conflict` */
export const addPasskey = (
  { passkeys }: SettingsParts,
  account: Account,
  {
    binding,
    response,
    name,
  }: { readonly binding: string; readonly response: unknown; readonly name?: string | undefined },
  context: ChangeContext,
): Promise<Passkey> => passkeys.finishRegistration(account, binding, response, name, context);

/** @throws AppError `not_found`, `invalid_input` with field `name` */
export const renamePasskey = (
  { passkeys }: SettingsParts,
  { id }: Account,
  { passkeyId, name }: { readonly passkeyId: string; readonly name: string },
  context: ChangeContext,
): Promise<Passkey> => passkeys.rename(id, passkeyId, name, context);

const onlyWay = (): AppError =>
  new AppError(
    'conflict',
    'This passkey is the only way into your account. Set a password or add another passkey first.',
  );

const shortAlone = (minLength: number): AppError =>
  new AppError(
    'conflict',
    `Your password is too short to stand alone. Change it to one with ${minLength} characters or more, then remove this passkey.`,
  );

/**
 * Takes a passkey away; its person keeps whatever else they have. The only way into an account stays, and so does the last
 * second factor beside a password that is too short alone. Backup codes go with the last thing that they stand in for.
 * @throws AppError `not_found`, `conflict`
 */
export async function removePasskey(
  parts: SettingsParts,
  { id }: Account,
  passkeyId: string,
  context: ChangeContext,
): Promise<void> {
  const { store, passkeys, credentials, passwordPolicy } = parts;
  await store.transaction(async () => {
    await store.lock(id);
    const factors = await factorsOf(parts, id);
    const isLast = (await passkeys.countOf(id)) === 1 && (await passkeys.list(id))[0]?.id === passkeyId;
    if (isLast && !factors.password) throw onlyWay();
    const isLastSecond = isLast && factors.passkeys > 0 && !factors.totp;
    if (isLastSecond && (await passwordPolicy.isShortAlone(id))) {
      throw shortAlone((await passwordPolicy.rulesFor(false, id)).minLength);
    }
    await passkeys.remove(id, passkeyId, context);
    // Without an authenticator there is nothing else that it takes away.
    if (isLastSecond) await credentials.totp.remove(id, context);
  });
}
