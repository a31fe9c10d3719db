import { type Access, type AccessClaims, freezeDeep, scopesOf } from './access.ts';
import { AccessError, type AccessErrorCode, type ChallengeContext } from './access-error.ts';
import { BoundedMap } from './bounded-map.ts';
import { certificateThumbprint } from './certificate.ts';
import { ProofChecker, ProofProblem } from './dpop.ts';
import { IntrospectionUnavailable, Introspector } from './introspect.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { createIssuerMetadata } from './issuer-metadata.ts';
import type { ResourceServerOptions } from './options.ts';
import { resourceMetadata } from './resource-metadata.ts';
import { readSettings, type Settings } from './settings.ts';
import { StatusLists } from './status-lists.ts';
import { type AuthorizedRequest, readAuthorization, type TokenRequest } from './token-request.ts';
import { isForUs, isOfNow, looksLikeJwt, NotAToken, verifyJwt } from './verify-jwt.ts';

/** An API's side of access tokens. */
export interface ResourceServer {
  /**
   * Checks a token and, when it is bound to a key or certificate, the request that shows it.
   * @throws AccessError with status and headers of the answer: 401 for the token, 503 when the issuer had to be asked and
   * could not be.
   */
  verify(token: string, request?: TokenRequest): Promise<Access>;
  /** The same from an `Authorization` header. @throws AccessError, also when there is none. */
  authenticate(request: AuthorizedRequest): Promise<Access>;
  /** What the adapters put in front of the path of a request. */
  readonly baseUrl: string | undefined;
  /** Protected resource metadata (RFC 9728), to be served at {@link ResourceServer.metadataUrl}. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Undefined when the audience is no https address. */
  readonly metadataUrl: string | undefined;
}

/** A token whose signature, issuer and audience are known to be good. */
interface Remembered {
  readonly claims: AccessClaims;
  readonly scopes: ReadonlySet<string>;
  /** Of the keys with which it was found out. */
  readonly version: string;
}

class TokenChecker {
  readonly settings: Settings;
  readonly #keys: IssuerKeys;
  readonly #statusLists: StatusLists;
  readonly #introspector: Introspector | undefined;
  readonly #proofs: ProofChecker;
  readonly #remembered: BoundedMap<Remembered>;
  readonly #bearer: ChallengeContext;
  readonly #dpop: ChallengeContext;

  constructor(settings: Settings) {
    this.settings = settings;
    const metadata = createIssuerMetadata(settings);
    const { introspection } = settings;
    this.#keys = new IssuerKeys(settings, metadata);
    this.#statusLists = new StatusLists(settings, this.#keys);
    this.#introspector = introspection && new Introspector(settings, introspection, metadata, this.#keys);
    this.#proofs = new ProofChecker(settings.dpop, settings.now);
    this.#remembered = new BoundedMap(settings.rememberTokens);
    const dpopAlgorithms = this.#proofs.algorithms;
    this.#bearer = { scheme: 'Bearer', resourceMetadata: settings.resourceMetadata, dpopAlgorithms };
    this.#dpop = { ...this.#bearer, scheme: 'DPoP' };
  }

  async verify(token: string, request: TokenRequest): Promise<Access> {
    const { now, toleranceSeconds } = this.settings;
    const { claims, scopes } = await this.#recognise(token);
    const checkedAt = now();
    if (!isOfNow(claims, checkedAt, toleranceSeconds)) throw this.#refuse('The token has expired or is not valid yet.');
    await this.#checkStatus(claims);
    const isDpop = claims.cnf !== undefined || this.settings.dpop.mode === 'required' || request.scheme === 'DPoP';
    if (isDpop) await this.#checkBinding(token, claims, request);
    return { claims, scopes, checkedAt, challenge: request.scheme === 'DPoP' ? this.#dpop : this.#bearer };
  }

  fail(code: AccessErrorCode, message: string, cause?: unknown): AccessError {
    const isDpop = this.settings.dpop.mode === 'required' || code === 'invalid_dpop_proof' || code === 'use_dpop_nonce';
    const dpopNonce = isDpop ? this.#proofs.nonce : undefined;
    return new AccessError(code, message, isDpop ? this.#dpop : this.#bearer, { cause, dpopNonce });
  }

  /** Whose token it is; what changes with the time is checked by the caller, at every request. */
  async #recognise(token: string): Promise<Pick<Remembered, 'claims' | 'scopes'>> {
    if (token.length > this.settings.maxTokenLength) throw this.#refuse('The token is too long.');
    const known = this.#remembered.get(token, this.settings.now());
    if (known && known.version === this.#keys.version) return known;
    const asks = this.#introspector && (this.settings.introspection?.always || !looksLikeJwt(token));
    return asks ? this.#ask(this.#introspector, token) : this.#verifyJwt(token);
  }

  async #verifyJwt(token: string): Promise<Remembered> {
    if (!looksLikeJwt(token)) throw this.#refuse('The token is not one for this API.');
    const claims = await verifyJwt(token, this.#keys, this.settings).catch((error: unknown) => {
      if (error instanceof NotAToken) throw this.#refuse('The token is not one for this API.', error);
      throw this.fail('unavailable', 'The keys of the issuer cannot be had. Try again in a moment.', error);
    });
    const { version } = this.#keys;
    const remembered = { claims: freezeDeep(claims), scopes: scopesOf(claims), version: version ?? '' };
    const until = ((claims.exp ?? 0) + this.settings.toleranceSeconds) * 1000;
    if (version !== undefined) this.#remembered.set(token, remembered, until);
    return remembered;
  }

  async #ask(introspector: Introspector, token: string): Promise<Pick<Remembered, 'claims' | 'scopes'>> {
    const claims = await introspector.ask(token).catch((error: unknown) => {
      if (!(error instanceof IntrospectionUnavailable)) throw error;
      throw this.fail('unavailable', 'The issuer cannot be asked about the token. Try again in a moment.', error);
    });
    const { issuer, audience } = this.settings;
    const isOurs = claims && (claims.iss === undefined || claims.iss === issuer) && isForUs(claims, audience);
    if (!isOurs) throw this.#refuse('The token is not one for this API.');
    return { claims: freezeDeep(claims), scopes: scopesOf(claims) };
  }

  async #checkStatus(claims: AccessClaims): Promise<void> {
    const { mode } = this.settings.statusList;
    if (mode === 'ignore' || this.settings.introspection?.always) return;
    if (claims.status === undefined) {
      if (mode === 'require' && this.#introspector === undefined) throw this.#refuse('The token has no status.');
      return;
    }
    const standing =
      this.#statusLists.peek(claims) ??
      (await this.#statusLists.find(claims).catch((error: unknown) => {
        throw this.fail('unavailable', 'The status of the token cannot be had. Try again in a moment.', error);
      }));
    if (standing !== 'valid') throw this.#refuse('The token was revoked.');
  }

  async #checkBinding(token: string, claims: AccessClaims, request: TokenRequest): Promise<void> {
    const { jkt, 'x5t#S256': x5t, ...others } = claims.cnf ?? {};
    // A confirmation method that is not understood confirms nothing (RFC 7800 §3.1).
    if (Object.keys(others).length > 0) throw this.#refuse('The token is bound in a way that this API does not know.');
    if (claims.cnf !== undefined && jkt === undefined && x5t === undefined)
      throw this.#refuse('The token is bound to nothing.');
    if (x5t !== undefined) {
      const shown = request.certificate && certificateThumbprint(request.certificate);
      if (shown !== x5t) throw this.#refuse('The token is bound to another certificate.');
    }
    if (jkt !== undefined) return this.#checkProof(token, jkt, request);
    if (request.scheme === 'DPoP' || this.settings.dpop.mode === 'required') {
      throw this.#refuse('The token is bound to no key.');
    }
  }

  async #checkProof(token: string, jkt: unknown, { scheme, method, url, proof }: TokenRequest): Promise<void> {
    // RFC 9449 §7.2: a bound token that is shown as a bearer token may be a stolen one.
    if (scheme !== 'DPoP') throw this.#boundRefusal('The token is bound to a key: show it with the scheme DPoP.');
    if (!proof || !method || !url) throw this.fail('invalid_dpop_proof', 'A proof is needed.');
    if (typeof jkt !== 'string') throw this.#refuse('The token is bound to nothing.');
    await this.#proofs.check(token, jkt, { method, url, proof }).catch((error: unknown) => {
      throw error instanceof ProofProblem ? this.fail(error.code, error.message, error) : error;
    });
  }

  #boundRefusal(message: string): AccessError {
    return new AccessError('invalid_token', message, this.#dpop, { dpopNonce: this.#proofs.nonce });
  }

  #refuse(message: string, cause?: unknown): AccessError {
    return this.fail('invalid_token', message, cause);
  }
}

/**
 * Makes an API's side of access tokens. Nothing is fetched before the first token comes.
 * @throws RangeError for options that would let the wrong token in.
 */
export function createResourceServer(options: ResourceServerOptions): ResourceServer {
  const settings = readSettings(options);
  const checker = new TokenChecker(settings);
  const [resource = ''] = settings.audience;
  return {
    baseUrl: settings.baseUrl,
    metadata: resourceMetadata(resource, settings.issuer, options.metadata),
    metadataUrl: settings.resourceMetadata,
    verify: (token, request = {}) => checker.verify(token, request),
    async authenticate({ authorization, ...request }) {
      const shown = readAuthorization(authorization);
      if ('problem' in shown) {
        const isMissing = shown.problem === 'missing_token';
        throw checker.fail(shown.problem, isMissing ? 'A token is needed.' : 'The Authorization header is malformed.');
      }
      return checker.verify(shown.token, { ...request, scheme: shown.scheme });
    },
  };
}
