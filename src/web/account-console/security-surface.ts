import type { Context } from 'koa';
import type { AccountSettings } from '../../account-settings/index.ts';
import type { PasswordPolicy } from '../../credentials/index.ts';
import type { Devices } from '../../devices/index.ts';
import type { Passkeys } from '../../passkeys/index.ts';
import type { Sessions } from '../../sessions/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { AccountId } from '../../shared/ids.ts';
import type { PageWriter } from '../page-writer.ts';
import type { AccountVisit } from './account-pages.ts';

/**
 * What was proven beside the sign-in of a session. `after`: who they are, by the password, and everything up to then
 * (milliseconds) was ended, what the session had proven before too. `secondFactor`: a factor that they have just made themselves, as an `amr` value; it says
 * nothing about who they are, so the session becomes no fresher.
 */
export type RenewProof = { readonly after: number } | { readonly secondFactor: 'otp' | 'hwk' | 'swk' };

/** What the pages about signing in are made of. */
export interface SecuritySurface {
  readonly settings: AccountSettings;
  readonly passwordPolicy: Pick<PasswordPolicy, 'rulesFor'>;
  readonly passkeys: Pick<Passkeys, 'accountSignals'>;
  readonly devices: Pick<Devices, 'listRemembered' | 'rememberDays'>;
  readonly sessions: Pick<Sessions, 'findByUid'>;
  readonly pages: PageWriter;
  readonly clock: Clock;
  /** Adds the proof to the session of this browser. */
  readonly renewSession: (ctx: Context, proof: RenewProof) => Promise<void>;
  /** Names of this person's apps that ask for a second factor. */
  readonly demandingApps: (accountId: AccountId) => Promise<readonly string[]>;
}

/** The session of this browser, to be kept when the others end, and the browser that it began in. */
export async function keptSession({ sessions }: SecuritySurface, { session }: AccountVisit) {
  const kept = await sessions.findByUid(session.uid);
  return { keepSession: kept?.id, deviceHash: kept?.deviceHash };
}

/** Whose set-up it is: one of another browser of the same person gets other secrets and challenges. */
export const bindingOf = ({ session }: AccountVisit, purpose: string): string => `console ${purpose} ${session.uid}`;

/** Shorter pauses are over before somebody has read a time of day. Milliseconds. */
const worthATime = 60_000;

/** Says in `Retry-After` when the next try is looked at; resolves to that time when it is worth reading. */
export function pauseUntil(ctx: Context, { clock }: SecuritySurface, retryAt: number): Date | undefined {
  const wait = retryAt - clock.now();
  ctx.set('retry-after', String(Math.max(1, Math.ceil(wait / 1000))));
  return wait >= worthATime ? new Date(retryAt) : undefined;
}

/** A moment for a page. */
export const dateOf = (milliseconds: number | undefined): Date | undefined =>
  milliseconds === undefined ? undefined : new Date(milliseconds);
