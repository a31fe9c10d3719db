import { generateSecret, generateURI, verifySync } from 'otplib';

const stepSeconds = 30;

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
  const result = verifySync({ secret, token: code, epoch: Math.floor(now / 1000), epochTolerance: stepSeconds });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
}
