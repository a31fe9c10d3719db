import { createHash, X509Certificate } from 'node:crypto';

/**
 * A client certificate as the TLS terminator hands it over: DER, PEM, or what `socket.getPeerCertificate()` and
 * `X509Certificate` have in `raw`. Who terminates TLS has to have checked that the caller holds its key.
 */
export type ClientCertificate = Uint8Array | string | { readonly raw: Uint8Array };

function derOf(certificate: ClientCertificate): Uint8Array {
  if (typeof certificate === 'string') return new X509Certificate(certificate).raw;
  return certificate instanceof Uint8Array ? certificate : certificate.raw;
}

/** `x5t#S256` of a certificate (RFC 8705 §3.1); undefined for what is none. */
export function certificateThumbprint(certificate: ClientCertificate): string | undefined {
  try {
    return createHash('sha256').update(derOf(certificate)).digest('base64url');
  } catch {
    return undefined;
  }
}
