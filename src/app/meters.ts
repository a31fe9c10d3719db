import type { AuditEvent } from '../audit/index.ts';
import type { Metrics, SignInFactor } from '../web/metrics.ts';

type Details = NonNullable<AuditEvent['details']>;

const factors: ReadonlyMap<string, SignInFactor> = new Map([
  ['otp', 'totp'],
  ['backup_code', 'backup_code'],
  ['passkey', 'passkey'],
  ['email', 'email'],
]);

/** Failures name their method before a colon: `otp:wrong_code`. */
const factorOf = ({ reason }: Details, otherwise: SignInFactor): SignInFactor =>
  factors.get(String(reason ?? '').split(':', 1)[0] ?? '') ?? otherwise;

/** Doors of a complete sign-in that no event of their own has counted already. */
function passedDoors({ amr }: Details): SignInFactor[] {
  const names = Array.isArray(amr) ? amr : [];
  return [
    ...(names.includes('pwd') ? (['password'] as const) : []),
    ...(names.includes('otp') ? (['totp'] as const) : []),
    ...(names.includes('email') ? (['email'] as const) : []),
  ];
}

/** Counts what the audit log tells: every event by its type, and doors by factor and outcome. */
export const countEvents =
  (metrics: Pick<Metrics, 'countEvent' | 'countSignIn'>): ((event: AuditEvent) => void) =>
  ({ type, outcome, details = {} }) => {
    metrics.countEvent(type, outcome);
    if (type === 'sign_in.failed') metrics.countSignIn(factorOf(details, 'password'), 'failure');
    else if (type === 'second_factor.failed') metrics.countSignIn(factorOf(details, 'totp'), 'failure');
    else if (type === 'sign_in.locked') metrics.countSignIn(factorOf(details, 'password'), 'locked');
    else if (type === 'backup_code.used') metrics.countSignIn('backup_code', outcome);
    else if (type === 'passkey.used') metrics.countSignIn('passkey', outcome);
    else if (type === 'sign_in.succeeded')
      for (const door of passedDoors(details)) metrics.countSignIn(door, 'success');
  };
