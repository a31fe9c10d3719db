import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from 'jose';
import type { AccessErrorCode } from './access-error.ts';
import type { DpopOptions } from './options.ts';
import { type ReplayStore, ReplayWindow } from './replay-window.ts';

/** The request that a token came with. */
export interface ProofRequest {
  readonly method: string;
  /** Absolute, as the caller sees it. */
  readonly url: string;
  readonly proof: string;
}

/** Why a proof is none. */
export class ProofProblem extends Error {
  readonly code: AccessErrorCode;

  constructor(code: AccessErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const refuse = (message: string, cause?: unknown): ProofProblem =>
  new ProofProblem('invalid_dpop_proof', message, cause);

/** Scheme, host and path after normalisation; query and fragment do not count (RFC 9449 §4.3). */
function targetOf(text: unknown): string | undefined {
  const url = typeof text === 'string' ? URL.parse(text) : null;
  return url ? `${url.origin}${url.pathname}` : undefined;
}

const athOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

const maxProofLength = 8192;
const usual = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];

interface Proof {
  readonly jti: string;
  readonly iat: number;
  readonly nonce: unknown;
}

/** Checks proofs of possession (RFC 9449 §4.3). */
export class ProofChecker {
  readonly algorithms: readonly string[];
  readonly #options: DpopOptions;
  readonly #now: () => number;
  readonly #replays: ReplayStore;
  readonly #maxAge: number;

  constructor(options: DpopOptions, now: () => number) {
    this.algorithms = options.algorithms ?? usual;
    this.#options = options;
    this.#now = now;
    this.#maxAge = options.maxAgeSeconds ?? 60;
    this.#replays = options.replays ?? new ReplayWindow(100_000, now);
  }

  /** The nonce for the next proof, if this API wants one. */
  get nonce(): string | undefined {
    return this.#options.nonces?.current();
  }

  /** @throws ProofProblem unless whoever sent this request has the key of that thumbprint. */
  async check(token: string, thumbprint: string, request: ProofRequest): Promise<void> {
    const { jti, iat, nonce } = await this.#read(token, thumbprint, request);
    const seconds = this.#now() / 1000;
    if (iat < seconds - this.#maxAge || iat > seconds + this.#maxAge) throw refuse('The proof is not of now.');
    const { nonces } = this.#options;
    if (nonces && !(typeof nonce === 'string' && nonces.isGood(nonce))) {
      throw new ProofProblem('use_dpop_nonce', 'The proof needs the nonce of this API.');
    }
    // Last, so that nobody can use up proofs of others or fill the memory without a key.
    const key = createHash('sha256').update(`${thumbprint}\0${jti}`).digest('base64url');
    const claimed = await this.#replays.claim(key, (iat + this.#maxAge) * 1000);
    if (claimed === 'full') throw new ProofProblem('unavailable', 'Too many proofs at once. Try again in a moment.');
    if (!claimed) throw refuse('The proof was used before.');
  }

  async #read(token: string, thumbprint: string, { method, url, proof }: ProofRequest): Promise<Proof> {
    if (proof.length > maxProofLength || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(proof)) throw refuse('The proof is no JWT.');
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...this.algorithms],
      currentDate: new Date(this.#now()),
      clockTolerance: this.#maxAge,
    }).catch((error: unknown) => {
      throw refuse('The proof does not verify.', error);
    });
    const { jti, iat, htm, htu, ath, nonce } = payload as Record<string, unknown>;
    const jwk = protectedHeader.jwk as JWK;
    if ('d' in jwk || 'k' in jwk) throw refuse('The proof shows a private key.');
    if (typeof jti !== 'string' || jti === '' || jti.length > 512) throw refuse('The proof has no jti.');
    if (typeof iat !== 'number' || !Number.isFinite(iat)) throw refuse('The proof has no iat.');
    if (htm !== method) throw refuse('The proof is for another method.');
    const target = targetOf(htu);
    if (target === undefined || target !== targetOf(url)) throw refuse('The proof is for another address.');
    if (ath !== athOf(token)) throw refuse('The proof is for another token.');
    if ((await calculateJwkThumbprint(jwk)) !== thumbprint) throw refuse('The proof is by another key.');
    return { jti, iat, nonce };
  }
}
