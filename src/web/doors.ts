import type { BrowserSession } from '../oidc/index.ts';
import type { Doors } from './page-models.ts';

const secondNames: readonly (readonly [string, string])[] = [
  ['otp', 'Authenticator app'],
  ['backup_code', 'Backup code'],
];

/** The doors that this session really went through. */
export function doorsOf(session: BrowserSession): Doors {
  const second = secondNames.find(([method]) => session.amr.includes(method));
  return {
    first: { state: 'open', label: 'Password' },
    ...(second && { second: { state: 'open', label: second[1] } }),
  };
}
