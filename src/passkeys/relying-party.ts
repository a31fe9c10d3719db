import { isIP } from 'node:net';

/** Who asks for passkeys (WebAuthn L3 §4, "relying party"). */
export interface RelyingParty {
  /** The domain that passkeys belong to. Another one, and every passkey is lost: it follows the issuer's host. */
  readonly id: string;
  /** What people read in their browser's dialogue. */
  readonly name: string;
  /** Exactly these origins may use them: the issuer's, then related ones. */
  readonly origins: readonly string[];
}

/** The relying party of an issuer, with further origins that may use its passkeys (WebAuthn L3 §5.11). */
export const relyingPartyOf = (issuer: string, name: string, relatedOrigins: readonly string[]): RelyingParty => ({
  id: new URL(issuer).hostname,
  name,
  origins: [...new Set([new URL(issuer).origin, ...relatedOrigins])],
});

/** Whether browsers make passkeys for this host at all: an address without a name has none (WebAuthn L3 §5.1.3). */
export const hasUsableId = ({ id }: RelyingParty): boolean => isIP(id.replace(/^\[|\]$/g, '')) === 0;
