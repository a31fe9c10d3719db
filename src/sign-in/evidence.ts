import { amrOfPasskey } from '../passkeys/index.ts';
import type { AccountId } from '../shared/ids.ts';

/**
 * A password, a code of an authenticator app, a backup code, a passkey, a code or link that was mailed, a browser that is
 * remembered in the place of the second factor, a passkey that was made a moment ago and has proven nothing since.
 */
export type Method = 'pwd' | 'otp' | 'backup_code' | 'passkey' | 'email' | 'device' | 'new_passkey';

/** One thing that was shown, and when: seconds since the epoch. */
export type Proof =
  | { readonly method: Exclude<Method, 'passkey'>; readonly at: number }
  | {
      readonly method: 'passkey';
      readonly at: number;
      /** By PIN or body: then it is two factors by itself. */
      readonly userVerified: boolean;
      /** It may be on several devices of the person. */
      readonly synced: boolean;
    };

/** What an account has proven so far, each method at most once. */
export interface Evidence {
  readonly accountId: AccountId;
  readonly methods: readonly Proof[];
  /** The protocol session of the browser that some of it was read from: with that it ends. */
  readonly session?: string;
  /**
   * When the account had been taken back last, before any of it was shown; milliseconds, 0 for never. What was shown to
   * somebody who has lost the account since opens nothing. Absent where it was read from a session, which ends by itself.
   */
  readonly asOf?: number;
  /** Something was unusual when the first door opened, so that nothing is spared. */
  readonly cautious?: true;
}

/** What the tokens say about a sign-in. */
export interface Authentication {
  /** RFC 8176 names where it has them; `backup_code`, `email` and `remembered_device` are ours. */
  readonly amr: readonly string[];
  readonly acr: 'aal1' | 'aal2';
  /** Seconds since the epoch, as `auth_time`. */
  readonly authTime: number;
}

/** Adds a proof, in the place of an older one of its method. Another account's evidence never mixes in. */
export function withProof(evidence: Evidence | undefined, accountId: AccountId, proof: Proof): Evidence {
  const before = evidence?.accountId === accountId ? evidence : undefined;
  const methods = [...(before?.methods ?? []).filter(({ method }) => method !== proof.method), proof];
  return { ...before, accountId, methods };
}

/** {@link withProof} for what has no more to it than when it was shown. */
export const withMethod = (
  evidence: Evidence | undefined,
  accountId: AccountId,
  method: Exclude<Method, 'passkey'>,
  at: number,
): Evidence => withProof(evidence, accountId, { method, at });

/** The part of the evidence that is as new as asked for. */
export const freshPart = (evidence: Evidence, freshAfter: number | undefined): Evidence => ({
  ...evidence,
  methods: freshAfter === undefined ? evidence.methods : evidence.methods.filter(({ at }) => at >= freshAfter),
});

export const hasMethod = (evidence: Evidence, ...methods: readonly Method[]): boolean =>
  evidence.methods.some(({ method }) => methods.includes(method));

const isVerified = (proof: Proof): boolean => proof.method === 'passkey' && proof.userVerified;

/** A passkey whose authenticator knew the person: it opens both doors. */
export const hasVerifiedPasskey = ({ methods }: Evidence): boolean => methods.some(isVerified);

/**
 * Two factors: a verified passkey, or a password with something that only its owner has. A mailbox is opened with a
 * password of its own, so it never is the second one (NIST SP 800-63B-4 §3.1.3), and a remembered browser only stands for one.
 */
export const isTwoFactors = (evidence: Evidence): boolean =>
  hasVerifiedPasskey(evidence) || (hasMethod(evidence, 'pwd') && hasMethod(evidence, 'otp', 'backup_code', 'passkey'));

/**
 * `otp` would say that a device of the person made the code; RFC 8176 has no word for a mailbox or a browser's cookie. Its
 * `user` says that somebody was there, which is all that making a passkey shows.
 */
const otherNames = { email: 'email', device: 'remembered_device', new_passkey: 'user' } as const;

function namesOf(proof: Proof): readonly string[] {
  if (proof.method === 'passkey') return amrOfPasskey(proof).filter((name) => name !== 'mfa');
  const { method } = proof;
  return [method === 'pwd' || method === 'otp' || method === 'backup_code' ? method : otherNames[method]];
}

/**
 * `amr` (RFC 8176), `acr` and `auth_time` of some evidence. The time is that of the oldest method: a client that compares
 * it with `max_age` (OpenID Connect Core §3.1.2.1) may rely on all of them being that new.
 */
export function describeEvidence(evidence: Evidence): Authentication {
  const two = isTwoFactors(evidence);
  // Where two factors were shown, none was spared.
  const used = evidence.methods.filter(({ method }) => !two || method !== 'device');
  const amr = [...new Set(used.flatMap(namesOf))];
  return {
    amr: two ? [...amr, 'mfa'] : amr,
    acr: two ? 'aal2' : 'aal1',
    authTime: Math.min(...used.map(({ at }) => at)),
  };
}

const methodNames: Readonly<Record<string, Exclude<Method, 'passkey'>>> = {
  pwd: 'pwd',
  otp: 'otp',
  backup_code: 'backup_code',
  [otherNames.email]: 'email',
  [otherNames.device]: 'device',
};

/** The evidence that {@link describeEvidence} described, as a session keeps it. What it leaves open counts as less. */
export function readEvidence(accountId: AccountId, amr: readonly string[], authTime: number): Evidence {
  const plain = amr.flatMap((name): Proof[] => {
    const method = Object.hasOwn(methodNames, name) ? methodNames[name] : undefined;
    return method ? [{ method, at: authTime }] : [];
  });
  const synced = amr.includes('swk');
  if (!synced && !amr.includes('hwk')) {
    const made: Proof[] = amr.includes('user') ? [{ method: 'new_passkey', at: authTime }] : [];
    return { accountId, methods: [...plain, ...made] };
  }
  // Beside a password two factors are two either way; alone only a verified passkey makes them.
  const userVerified = amr.includes('mfa') && !amr.includes('pwd');
  return { accountId, methods: [...plain, { method: 'passkey', at: authTime, userVerified, synced }] };
}
