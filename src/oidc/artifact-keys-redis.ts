import { sha256 } from '../shared/crypto.ts';
import { type KindName, slotOf, tagOfHash } from './artifact-kind.ts';

const short: Readonly<Record<KindName, string>> = {
  AccessToken: 'at',
  AuthorizationCode: 'ac',
  BackchannelAuthenticationRequest: 'ba',
  ClientCredentials: 'cc',
  DeviceCode: 'dc',
  Grant: 'gr',
  InitialAccessToken: 'ia',
  Interaction: 'in',
  PreAuthorizedCode: 'pc',
  PushedAuthorizationRequest: 'pr',
  RefreshToken: 'rt',
  RegistrationAccessToken: 'rg',
  ReplayDetection: 'rd',
  Session: 'se',
};

const key = (tag: string, kind: string, hash: string): string => `sp:{${tag}}:${kind}:${hash}`;

/** The key of an artifact, by its id, whose hash may be known already. */
export const keyOf = (kind: KindName, id: string, hash = sha256(id)): string =>
  key(slotOf(kind, id, hash), short[kind], hash);

/** The key of an artifact whose slot follows from its own hash. */
export const keyOfHash = (kind: KindName, hash: string): string => key(tagOfHash(hash), short[kind], hash);

/** The key of another artifact of the same kind and grant. */
export const siblingKey = (own: string, hash: string): string => own.slice(0, own.lastIndexOf(':') + 1) + hash;

/** The set of keys that are revoked with a grant, in the grant's slot. */
export const indexKey = (grantHash: string): string => key(tagOfHash(grantHash), 'ix', grantHash);

export const userCodeKey = (hash: string): string => key(tagOfHash(hash), 'uc', hash);

/** The key of what a browser's cookie id opens. */
export const cookieKey = (idHash: string): string => key(tagOfHash(idHash), 'si', idHash);

/** The hash tag of a key. */
export const tagOfKey = (own: string): string => own.slice(own.indexOf('{') + 1, own.indexOf('}'));
