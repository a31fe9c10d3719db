import type { AccountId } from '../shared/ids.ts';

/** A password, a code of an authenticator app, a backup code. */
export type Method = 'pwd' | 'otp' | 'backup_code';

/** What an account has proven so far, each method at most once. */
export interface Evidence {
  readonly accountId: AccountId;
  readonly methods: readonly {
    readonly method: Method;
    /** Seconds since the epoch. */
    readonly at: number;
  }[];
}

/** What the tokens say about a sign-in. */
export interface Authentication {
  /** RFC 8176 names where it has them; `backup_code` is ours. */
  readonly amr: readonly string[];
  readonly acr: 'aal1' | 'aal2';
  /** Seconds since the epoch, as `auth_time`. */
  readonly authTime: number;
}

/** Adds a method, in the place of an older use of it. Another account's evidence never mixes in. */
export function withMethod(evidence: Evidence | undefined, accountId: AccountId, method: Method, at: number): Evidence {
  const before = evidence?.accountId === accountId ? evidence.methods : [];
  return { accountId, methods: [...before.filter((known) => known.method !== method), { method, at }] };
}

/** The part of the evidence that is as new as asked for. */
export const freshPart = (evidence: Evidence, freshAfter: number | undefined): Evidence => ({
  accountId: evidence.accountId,
  methods: freshAfter === undefined ? evidence.methods : evidence.methods.filter(({ at }) => at >= freshAfter),
});

export const hasMethod = (evidence: Evidence, ...methods: readonly Method[]): boolean =>
  evidence.methods.some(({ method }) => methods.includes(method));

/**
 * `amr` (RFC 8176), `acr` and `auth_time` of some evidence. The time is that of the oldest method: a client that compares
 * it with `max_age` (OpenID Connect Core §3.1.2.1) may rely on all of them being that new.
 */
export function describeEvidence(evidence: Evidence): Authentication {
  const used = evidence.methods.map(({ method }) => method);
  const two = used.includes('pwd') && (used.includes('otp') || used.includes('backup_code'));
  return {
    amr: two ? [...used, 'mfa'] : used,
    acr: two ? 'aal2' : 'aal1',
    authTime: Math.min(...evidence.methods.map(({ at }) => at)),
  };
}
