/** Why a request is turned away, in the words of RFC 6750 §3.1, RFC 9449 §7.1 and RFC 9470 §3; `unavailable` is ours. */
export type AccessErrorCode =
  | 'missing_token'
  | 'invalid_request'
  | 'invalid_token'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_scope'
  | 'insufficient_user_authentication'
  | 'unavailable';

/** How this API takes tokens; it goes into every challenge. */
export interface ChallengeContext {
  readonly scheme: 'Bearer' | 'DPoP';
  /** Where the protected resource metadata are (RFC 9728 §5.1). */
  readonly resourceMetadata?: string | undefined;
  /** Algorithms for proofs, when this API takes DPoP (RFC 9449 §7.1). */
  readonly dpopAlgorithms?: readonly string[] | undefined;
}

interface Details {
  /** Parameters of the challenge besides `error` and `error_description`, such as `scope`. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** A nonce that the next proof has to carry. */
  readonly dpopNonce?: string | undefined;
  /** Seconds, for `Retry-After`. */
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

const statuses: Readonly<Record<AccessErrorCode, 400 | 401 | 403 | 503>> = {
  missing_token: 401,
  invalid_request: 400,
  invalid_token: 401,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
  insufficient_scope: 403,
  insufficient_user_authentication: 401,
  unavailable: 503,
};

/** A quoted-string has no controls, and what quotes has to be quoted (RFC 9110 §5.6.4); RFC 6750 §3 allows less. */
const quoted = (text: string): string => `"${text.replaceAll(/[^\x20-\x7e]|["\\]/g, '')}"`;

const challenge = (scheme: string, parameters: Readonly<Record<string, string | undefined>>): string => {
  const parts = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoted(value)}`],
  );
  return parts.length === 0 ? scheme : `${scheme} ${parts.join(', ')}`;
};

/** A refusal that its caller can act on. `message` is safe to send. */
export class AccessError extends Error {
  readonly code: AccessErrorCode;
  readonly status: 400 | 401 | 403 | 503;
  /** Headers of the answer; `WWW-Authenticate` unless we failed ourselves. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: AccessErrorCode, message: string, context: ChallengeContext, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'AccessError';
    this.code = code;
    this.status = statuses[code];
    this.headers = code === 'unavailable' ? retry(details) : challenges(code, message, context, details);
  }

  /** The body of an answer: the code and a sentence. A request without a token learns the challenge only. */
  get body(): { readonly error: string; readonly error_description: string } {
    return { error: this.code, error_description: this.message };
  }
}

const retry = ({ retryAfter = 1 }: Details): Record<string, string> => ({
  'Retry-After': String(Math.max(1, Math.ceil(retryAfter))),
});

function challenges(
  code: AccessErrorCode,
  message: string,
  { scheme, resourceMetadata, dpopAlgorithms }: ChallengeContext,
  { parameters, dpopNonce }: Details,
): Record<string, string> {
  const algs = dpopAlgorithms?.join(' ');
  const common = { resource_metadata: resourceMetadata };
  const said = code === 'missing_token' ? {} : { error: code, error_description: message };
  const all = [challenge(scheme, { ...said, ...parameters, ...common, ...(scheme === 'DPoP' && { algs }) })];
  // Who has no token yet may choose.
  if (code === 'missing_token' && scheme === 'Bearer' && algs) all.push(challenge('DPoP', { ...common, algs }));
  return { 'WWW-Authenticate': all.join(', '), ...(dpopNonce !== undefined && { 'DPoP-Nonce': dpopNonce }) };
}
