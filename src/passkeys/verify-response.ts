import type {
  AuthenticationResponseJSON,
  RegistrationResponseJSON,
  VerifiedAuthenticationResponse,
  VerifiedRegistrationResponse,
} from '@simplewebauthn/server';
import type { StoredPasskey } from './passkey.ts';
import type { ClientData } from './read-response.ts';
import type { RelyingParty } from './relying-party.ts';

/** Why a response proves nothing; for the operator. */
export type Refusal =
  | 'malformed'
  | 'challenge'
  | 'type'
  | 'origin'
  | 'framed'
  | 'attestation'
  | 'account'
  | 'user_handle'
  | 'backup_eligibility'
  | 'verification'
  | 'counter';

/** COSE algorithms, the best first: EdDSA, ES256, RS256. */
export const algorithms = [-8, -7, -257];

/** The library brings certificate parsers, 200 ms and 26 MB of them: they wait for the first passkey. */
const library = () => import('@simplewebauthn/server');
const libraryHelpers = () => import('@simplewebauthn/server/helpers');

/** What the browser says of the page; checked here as well, to tell the operator which of it was wrong. */
export function clientRefusal(client: ClientData, type: string, rp: RelyingParty): Refusal | undefined {
  if (client.type !== type) return 'type';
  if (client.crossOrigin) return 'framed';
  return rp.origins.includes(client.origin) ? undefined : 'origin';
}

/**
 * Browsers that were asked for no attestation send none, or a self-signed one. Other formats carry certificates of the
 * sender's choice, and nothing here would trust what they say.
 */
async function hasPlainAttestation({ response }: RegistrationResponseJSON): Promise<boolean> {
  const { decodeAttestationObject } = await libraryHelpers();
  const object = decodeAttestationObject(new Uint8Array(Buffer.from(response.attestationObject, 'base64url')));
  const format = object.get('fmt');
  return format === 'none' || (format === 'packed' && object.get('attStmt').get('x5c') === undefined);
}

type Registered = NonNullable<VerifiedRegistrationResponse['registrationInfo']>;

/**
 * Checks a new credential (WebAuthn L3 §7.1).
 * @param automatic it was made without a click, so neither presence nor verification of the person is in it
 */
export async function verifyRegistration(
  response: RegistrationResponseJSON,
  { challenge, automatic, rp }: { challenge: string; automatic: boolean; rp: RelyingParty },
): Promise<Registered | Refusal> {
  const { verifyRegistrationResponse } = await library();
  try {
    if (!(await hasPlainAttestation(response))) return 'attestation';
    const { registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: [...rp.origins],
      expectedRPID: rp.id,
      requireUserPresence: !automatic,
      requireUserVerification: !automatic,
      supportedAlgorithmIDs: algorithms,
    });
    return registrationInfo?.credential.id === response.id ? registrationInfo : 'verification';
  } catch {
    return 'verification';
  }
}

type Authenticated = VerifiedAuthenticationResponse['authenticationInfo'];

/** Checks an assertion (WebAuthn L3 §7.2), all but the counter, which {@link StoredPasskey} has to be changed with. */
export async function verifyAuthentication(
  response: AuthenticationResponseJSON,
  { challenge, passkey, rp }: { challenge: string; passkey: StoredPasskey; rp: RelyingParty },
): Promise<Authenticated | Refusal> {
  const { verifyAuthenticationResponse } = await library();
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: [...rp.origins],
      expectedRPID: rp.id,
      requireUserVerification: false,
      // Zero never lies above what came: the counter is judged where it is stored, in one statement.
      credential: { id: passkey.credentialId, publicKey: passkey.publicKey, counter: 0 },
    });
    if (!verified) return 'verification';
    const eligible = authenticationInfo.credentialDeviceType === 'multiDevice';
    return eligible === passkey.backupEligible ? authenticationInfo : 'backup_eligibility';
  } catch {
    return 'verification';
  }
}
