import type { Context } from 'koa';
import type { AccountId } from '../../shared/ids.ts';
import type { SubmitResult, TryingDevice } from '../../sign-in/index.ts';
import { metaOf } from '../request-meta.ts';
import type { SignInSurface, Visit } from './context.ts';

type DeviceSurface = Pick<SignInSurface, 'devices' | 'deviceCookie'>;

/** This browser, as its cookies name it. */
export const deviceOf = ({ devices, deviceCookie }: DeviceSurface, { ctx }: Pick<Visit, 'ctx'>): TryingDevice => ({
  id: deviceCookie.read(ctx),
  ...(devices.rememberDays > 0 && { tokenOf: (accountId) => deviceCookie.readRemembered(ctx, accountId) }),
});

/** Puts the next token of a remembered browser into its cookie, or takes away one that is worth nothing. */
export function keepToken({ devices, deviceCookie }: DeviceSurface, ctx: Context, result: SubmitResult): void {
  const { remembered } = result;
  const finished = result.outcome === 'accepted' ? result.finished : undefined;
  const accountId = finished?.accountId ?? result.view?.account?.id;
  if (!remembered || accountId === undefined) return;
  if (remembered.remembered && remembered.token === undefined) return;
  const token = remembered.remembered ? remembered.token : undefined;
  if (token !== undefined || (!remembered.remembered && remembered.clear)) {
    deviceCookie.writeRemembered(ctx, accountId, token, devices.rememberDays);
  }
}

/** Remembers this browser after its second factor was right, because the person ticked that. */
export async function rememberDevice(
  { devices, deviceCookie }: DeviceSurface,
  ctx: Context,
  accountId: AccountId,
): Promise<void> {
  const token = await devices.remember(accountId, deviceCookie.ensure(ctx), metaOf(ctx));
  if (token !== undefined) deviceCookie.writeRemembered(ctx, accountId, token, devices.rememberDays);
}
