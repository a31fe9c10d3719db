import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { dpopProofOf } from './provider-internals.ts';

/** What may be used once was used at the same moment, or before. */
export class AlreadyUsed extends errors.InvalidRequest {
  constructor() {
    super('this assertion or proof was already used');
  }
}

/**
 * Gives whoever loses a race the answer of whoever comes later. The library looks first and writes then, so a loser fails
 * only in the store; and it calls a proof that was used before a bad grant, where RFC 9449 §5 has a name of its own.
 */
export function refuseReplaysAlike(provider: Provider): void {
  const model = provider.ReplayDetection;
  const unique = model.unique;
  model.unique = async function uniqueOrRefused(issuer, id, expiresAt) {
    const isNew = await unique.call(this, issuer, id, expiresAt).catch((error: unknown) => {
      if (error instanceof AlreadyUsed) return false;
      throw error;
    });
    const ctx = Provider.ctx as KoaContextWithOIDC | undefined;
    const proof = !isNew && ctx?.oidc?.provider === provider ? dpopProofOf(provider, ctx) : undefined;
    if (proof?.payload.jti === id) {
      throw new errors.InvalidDpopProof('DPoP proof JWT Replay detected');
    }
    return isNew;
  };
}
