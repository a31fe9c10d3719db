import type { Account } from '../accounts/index.ts';
import type { ChangeContext, SettingsParts } from './parts.ts';

/** Lets every browser show the second factor again at its next sign-in. Says how many were remembered. */
export function forgetRememberedDevices(
  { devices }: SettingsParts,
  { id }: Account,
  { actor, ip, userAgent, requestId }: ChangeContext,
): Promise<number> {
  const meta = {
    ...(ip !== undefined && { ip }),
    ...(userAgent !== undefined && { userAgent }),
    ...(requestId !== undefined && { requestId }),
  };
  return devices.forgetAll(id, { by: actor ?? { kind: 'account', id }, reason: 'the person asked for it', meta });
}
