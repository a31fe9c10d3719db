import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { CreationOptions, RequestOptions } from '../../src/passkeys/index.ts';
import { type Cbor, encodeCbor } from './cbor.ts';

export type Algorithm = 'EdDSA' | 'ES256' | 'RS256';

/** What a test makes go wrong. Each field takes the place of what an honest browser or authenticator would say. */
export interface Changes {
  readonly type?: string;
  readonly origin?: string;
  readonly challenge?: string;
  readonly crossOrigin?: boolean;
  readonly topOrigin?: string;
  readonly rpId?: string;
  readonly present?: boolean;
  readonly verified?: boolean;
  readonly backupEligible?: boolean;
  readonly backedUp?: boolean;
  readonly signCount?: number;
  /** null leaves it out. */
  readonly userHandle?: string | null;
  readonly credentialId?: string;
  readonly signWith?: KeyObject;
  readonly format?: string;
  readonly statement?: ReadonlyMap<Cbor, Cbor>;
  /** COSE algorithm that the key claims. */
  readonly coseAlgorithm?: number;
  readonly transports?: readonly unknown[];
}

export interface AuthenticatorOptions {
  readonly origin?: string;
  readonly algorithm?: Algorithm;
  readonly aaguid?: string;
  /** A synced passkey, whose counter stays zero. */
  readonly synced?: boolean;
}

const hash = (value: Uint8Array | string): Buffer => createHash('sha256').update(value).digest();
const url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

function newKey(algorithm: Algorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

/** COSE_Key (RFC 9053 §7). */
function coseOf(publicKey: KeyObject, algorithm?: number): Buffer {
  const jwk = publicKey.export({ format: 'jwk' });
  const bytes = (value: string | undefined): Buffer => Buffer.from(value ?? '', 'base64url');
  const entries: Record<string, [number, Cbor][]> = {
    OKP: [
      [1, 1],
      [3, algorithm ?? -8],
      [-1, 6],
      [-2, bytes(jwk.x)],
    ],
    EC: [
      [1, 2],
      [3, algorithm ?? -7],
      [-1, 1],
      [-2, bytes(jwk.x)],
      [-3, bytes(jwk.y)],
    ],
    RSA: [
      [1, 3],
      [3, algorithm ?? -257],
      [-1, bytes(jwk.n)],
      [-2, bytes(jwk.e)],
    ],
  };
  return encodeCbor(new Map(entries[jwk.kty ?? ''] ?? []));
}

/** A software authenticator with one discoverable credential, and the browser around it. */
export function createAuthenticator(options: AuthenticatorOptions = {}) {
  const { origin = 'https://id.example.com', algorithm = 'ES256', synced = false } = options;
  const aaguid = Buffer.from((options.aaguid ?? '00000000-0000-0000-0000-000000000000').replaceAll('-', ''), 'hex');
  const { publicKey, privateKey } = newKey(algorithm);
  const credentialId = randomBytes(32);
  let userHandle = '';
  let count = 0;

  const clientData = (type: string, challenge: string, changes: Changes): Buffer =>
    Buffer.from(
      JSON.stringify({
        type: changes.type ?? type,
        challenge: changes.challenge ?? challenge,
        origin: changes.origin ?? origin,
        crossOrigin: changes.crossOrigin ?? false,
        ...(changes.topOrigin !== undefined && { topOrigin: changes.topOrigin }),
      }),
    );

  /** Authenticator data (WebAuthn L3 §6.1). */
  const authenticatorData = (rpId: string, changes: Changes, attested?: Buffer): Buffer => {
    const { present = true, verified = true, backupEligible = synced, backedUp = synced } = changes;
    const bits = [present, false, verified, backupEligible, backedUp, false, attested !== undefined];
    const flags = bits.reduce((sum, bit, index) => sum | (bit ? 1 << index : 0), 0);
    const counter = Buffer.alloc(4);
    if (!synced) count += 1;
    counter.writeUInt32BE(changes.signCount ?? count);
    return Buffer.concat([hash(changes.rpId ?? rpId), Buffer.from([flags]), counter, attested ?? Buffer.alloc(0)]);
  };

  const signed = (data: Buffer, client: Buffer, key = privateKey): Buffer =>
    sign(algorithm === 'EdDSA' ? null : 'sha256', Buffer.concat([data, hash(client)]), key);

  return {
    credentialId: url(credentialId),
    privateKey,

    create({ challenge, rp, user }: CreationOptions, changes: Changes = {}): RegistrationResponseJSON {
      userHandle = user.id;
      const client = clientData('webauthn.create', challenge, changes);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(credentialId.length);
      const attested = Buffer.concat([aaguid, length, credentialId, coseOf(publicKey, changes.coseAlgorithm)]);
      const data = authenticatorData(rp.id ?? '', changes, attested);
      const self = new Map<Cbor, Cbor>([
        ['alg', algorithm === 'EdDSA' ? -8 : algorithm === 'ES256' ? -7 : -257],
        ['sig', signed(data, client, changes.signWith)],
      ]);
      const format = changes.format ?? 'none';
      const statement = changes.statement ?? (format === 'packed' ? self : new Map<Cbor, Cbor>());
      const object = encodeCbor(
        new Map<Cbor, Cbor>([
          ['fmt', format],
          ['attStmt', statement],
          ['authData', data],
        ]),
      );
      const id = changes.credentialId ?? url(credentialId);
      return {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: url(client),
          attestationObject: url(object),
          transports: (changes.transports ?? ['internal', 'hybrid']) as never,
        },
      };
    },

    get({ challenge, rpId }: RequestOptions, changes: Changes = {}): AuthenticationResponseJSON {
      const client = clientData('webauthn.get', challenge, changes);
      const data = authenticatorData(rpId ?? '', changes);
      const id = changes.credentialId ?? url(credentialId);
      const handle = changes.userHandle === undefined ? userHandle : changes.userHandle;
      return {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: url(client),
          authenticatorData: url(data),
          signature: url(signed(data, client, changes.signWith)),
          ...(handle !== null && { userHandle: handle }),
        },
      };
    },
  };
}

export type Authenticator = ReturnType<typeof createAuthenticator>;
