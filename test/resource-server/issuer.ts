import { createHash, randomUUID } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { AccessError, type ResourceServerOptions } from '../../src/resource-server/index.ts';

export const issuer = 'https://id.example.com';
export const audience = 'https://api.example.com/v1';
export const listUri = `${issuer}/oauth2/status-lists/a7`;

interface Pair {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function newPair(kid: string, alg = 'ES256'): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

type Answer = (body: string) => Response | Promise<Response>;

/** An issuer in memory, with a clock that the test moves. */
export class Issuer {
  now = Date.UTC(2027, 0, 1);
  readonly calls: string[] = [];
  readonly answers = new Map<string, Answer>();
  readonly revoked = new Set<number>();
  /** The signing key of the moment, and those that are published. */
  pair: Pair;
  published: JWK[];

  private constructor(pair: Pair) {
    this.pair = pair;
    this.published = [pair.jwk];
    const json = (body: unknown): Response => Response.json(body);
    this.answers.set('/.well-known/openid-configuration', () =>
      json({ issuer, jwks_uri: `${issuer}/jwks`, introspection_endpoint: `${issuer}/introspect` }),
    );
    this.answers.set('/jwks', () => json({ keys: this.published }));
    this.answers.set('/oauth2/status-lists/a7', async () => new Response(await this.list()));
  }

  static async create(): Promise<Issuer> {
    return new Issuer(await newPair('k1'));
  }

  get seconds(): number {
    return Math.floor(this.now / 1000);
  }

  advance(seconds: number): void {
    this.now += seconds * 1000;
  }

  options(extra: Partial<ResourceServerOptions> = {}): ResourceServerOptions {
    const fetch = async (url: string, init: { body?: string }): Promise<Response> => {
      const { pathname } = new URL(url);
      this.calls.push(pathname);
      const answer = this.answers.get(pathname);
      return answer ? answer(init.body ?? '') : new Response('', { status: 404 });
    };
    return { issuer, audience, fetch, now: () => this.now, ...extra };
  }

  count(path: string): number {
    return this.calls.filter((call) => call === path).length;
  }

  claims(extra: JWTPayload = {}): JWTPayload {
    const iat = this.seconds;
    const own = { iss: issuer, aud: audience, sub: 'acc_1', client_id: 'web', jti: randomUUID() };
    return { ...own, iat, exp: iat + 600, scope: 'orders.read orders.write', ...extra };
  }

  sign(claims: JWTPayload, header: Partial<JWTHeaderParameters> = {}, pair = this.pair): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: pair.alg, kid: pair.kid, typ: 'at+jwt', ...header } as JWTHeaderParameters)
      .sign(pair.privateKey);
  }

  token(extra: JWTPayload = {}, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
    return this.sign(this.claims(extra), header);
  }

  list(extra: JWTPayload = {}, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
    const bytes = Buffer.alloc(128);
    for (const idx of this.revoked) bytes[idx >> 3] = (bytes[idx >> 3] ?? 0) | (1 << (idx & 7));
    const status_list = { bits: 1, lst: deflateSync(bytes).toString('base64url') };
    const claims = { iss: issuer, sub: listUri, iat: this.seconds, exp: this.seconds + 600, ttl: 60, status_list };
    return this.sign({ ...claims, ...extra } as JWTPayload, { typ: 'statuslist+jwt', ...header });
  }
}

/** A caller with a key of its own (RFC 9449). */
export class Prover {
  readonly #pair: Pair;
  readonly thumbprint: string;

  private constructor(pair: Pair, thumbprint: string) {
    this.#pair = pair;
    this.thumbprint = thumbprint;
  }

  static async create(): Promise<Prover> {
    const pair = await newPair('');
    return new Prover(pair, await calculateJwkThumbprint(pair.jwk));
  }

  prove(token: string, now: number, extra: JWTPayload = {}, header: object = {}): Promise<string> {
    const { kty, crv, x, y } = this.#pair.jwk;
    const ath = createHash('sha256').update(token).digest('base64url');
    const claims = { jti: randomUUID(), iat: Math.floor(now / 1000), htm: 'GET', htu: `${audience}/orders`, ath };
    return new SignJWT({ ...claims, ...extra })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: { kty, crv, x, y }, ...header } as never)
      .sign(this.#pair.privateKey);
  }
}

/** The refusal that `work` ends with. */
export async function refusal(work: Promise<unknown> | (() => unknown)): Promise<AccessError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error instanceof AccessError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}
