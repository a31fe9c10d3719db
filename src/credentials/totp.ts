import { createGuardrails, generateSecret, generateURI, verifySync } from 'otplib';

const stepSeconds = 30;
// Authenticators that were enrolled elsewhere often have 80 bits.
const guardrails = createGuardrails({ MIN_SECRET_BYTES: 10 });

/** A new shared secret: 160 random bits as 32 base32 characters (RFC 4226 §4, R6). */
export const newTotpSecret = (): string => generateSecret({ length: 20 });

/** What the QR code says. SHA-1, six digits and 30 s are what every authenticator app understands. */
export const totpUri = (secret: string, issuer: string, label: string): string =>
  // A colon parts issuer and account in the label, so neither may have one.
  generateURI({ secret, issuer: issuer.replaceAll(':', ' '), label: label.replaceAll(':', ' ') });

/** The six digits of an input, which may hold spaces. ASCII only: other digits would be another code to other programs. */
export const readTotpCode = (input: string): string | undefined => {
  const code = input.length > 20 ? '' : input.replaceAll(' ', '');
  return /^[0-9]{6}$/.test(code) ? code : undefined;
};

/**
 * The time step that a code belongs to, of the current one and its neighbours (RFC 6238 §5.2), or undefined.
 * @param now milliseconds since the epoch
 */
export function totpStep(secret: string, code: string, now: number): number | undefined {
  const result = verifySync({
    secret,
    token: code,
    epoch: Math.floor(now / 1000),
    epochTolerance: stepSeconds,
    guardrails,
  });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
}

/** The secret of an authenticator that was enrolled elsewhere, or why it would make other codes than its app shows. */
export type TotpReading =
  | { readonly ok: true; readonly secret: string }
  | { readonly ok: false; readonly reason: string };

/** Reads 80 to 512 bits in base32, in any case and with spaces, or the `otpauth:` address that was in the QR code. */
export function readTotpSecret(text: string): TotpReading {
  const uri = /^otpauth:/i.test(text) ? URL.parse(text) : undefined;
  if (uri === null || (uri && uri.host !== 'totp'))
    return { ok: false, reason: 'This is no address of a TOTP secret.' };
  const { algorithm = 'SHA1', digits = '6', period = '30' } = Object.fromEntries(uri?.searchParams ?? []);
  if (!/^sha-?1$/i.test(algorithm) || digits !== '6' || period !== '30') {
    return { ok: false, reason: 'Only SHA-1, six digits and 30 seconds are accepted.' };
  }
  const secret = (uri?.searchParams.get('secret') ?? (uri ? '' : text)).replaceAll(/[\s-]|=+$/g, '').toUpperCase();
  if (/^[A-Z2-7]{16,103}$/.test(secret) && ![1, 3, 6].includes(secret.length % 8)) return { ok: true, secret };
  return { ok: false, reason: 'A TOTP secret has 80 to 512 bits in base32.' };
}
