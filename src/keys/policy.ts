/** What the server can sign with (RFC 7518 §3.1, RFC 8037 §3.1). */
export const algorithms = ['ES256', 'RS256', 'EdDSA'] as const;
export type Algorithm = (typeof algorithms)[number];

/** How keys come and go; all times in seconds. */
export interface KeyPolicy {
  /** How often a new key takes over; never faster than `publishSeconds`. */
  readonly rotationSeconds: number;
  /** How long a new key is in the JWKS before it signs: more than every cache of the JWKS, with room for two polls. */
  readonly publishSeconds: number;
  /** How long a replaced key stays in the JWKS: not less than the longest life of anything it signed. */
  readonly retireSeconds: number;
  /** `max-age` of the JWKS response. */
  readonly jwksMaxAgeSeconds: number;
  /** How often a node reads the keys. Default: 30, or less where the publish time leaves little room. */
  readonly pollSeconds?: number;
  /** In the order in which signers are listed. One that is taken out gets no new keys and retires when its time is up. */
  readonly algorithms: readonly Algorithm[];
}

export type CheckedPolicy = Required<KeyPolicy>;

const longestPoll = 30;

/**
 * Fills the default in and refuses a policy under which tokens would fail to verify.
 * @throws RangeError that names the setting.
 */
export function checkPolicy(policy: KeyPolicy): CheckedPolicy {
  const { rotationSeconds, publishSeconds, retireSeconds, jwksMaxAgeSeconds } = policy;
  for (const [name, value] of Object.entries({ rotationSeconds, publishSeconds, retireSeconds })) {
    if (!Number.isFinite(value) || value <= 0) throw new RangeError(`Key policy: ${name} must be more than 0.`);
  }
  const distinct = new Set<string>(policy.algorithms);
  if (distinct.size === 0 || distinct.size !== policy.algorithms.length) {
    throw new RangeError('Key policy: algorithms must name one or more, each once.');
  }
  const room = publishSeconds - jwksMaxAgeSeconds;
  const pollSeconds = policy.pollSeconds ?? Math.min(longestPoll, room / 4);
  if (!(pollSeconds > 0) || room < 2 * pollSeconds) {
    throw new RangeError(
      `Key policy: publishSeconds (${publishSeconds}) must exceed jwksMaxAgeSeconds (${jwksMaxAgeSeconds}) by two polls` +
        ` (${Math.max(2 * pollSeconds, 0)} s), so that every cache of the JWKS has a key before it signs.`,
    );
  }
  return { ...policy, pollSeconds };
}
