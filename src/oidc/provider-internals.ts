// The one place that reaches into oidc-provider, because grant types that are registered get no helper for DPoP.
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
// @ts-expect-error the library has no types for its inside
import validate, { checkDpopReplay as checkReplay, getDpopJwt } from 'oidc-provider/lib/helpers/validate_dpop.js';

/** A proof of possession (RFC 9449) that was good for this request. */
export interface DpopProof {
  /** Of the key, RFC 7638. */
  readonly thumbprint: string;
  readonly jti: string;
}

/** The proof of a token request, as the library's own grants check it. @throws InvalidDpopProof, UseDpopNonce. */
export const readDpopProof = validate as (
  provider: Provider,
  ctx: KoaContextWithOIDC,
) => Promise<DpopProof | undefined>;

/** Lets each proof be used once. @throws the given error, else InvalidGrant. */
export const checkDpopReplay = checkReplay as (
  provider: Provider,
  ctx: KoaContextWithOIDC,
  proof: DpopProof,
  clientId: string,
  error?: new (description: string) => Error,
) => Promise<void>;

/** The proof of this request, once the library has found it good; of a request without one undefined. */
export const dpopProofOf = getDpopJwt as (
  provider: Provider,
  ctx: KoaContextWithOIDC,
) => { readonly payload: { readonly jti?: string } } | undefined;
