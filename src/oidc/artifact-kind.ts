import { sha256 } from '../shared/crypto.ts';
import { randomSecret } from '../shared/ids.ts';

/** What a store has to know of a model of oidc-provider. */
export interface Kind {
  /** Two letters that start its ids, so that a token says what it is and the wrong kind costs no look-up. */
  readonly prefix?: string;
  /** Its id carries the tag of its grant, so that both live in one slot of Redis Cluster. */
  readonly tagged?: true;
  /** It is used once: `consume` is called on it. */
  readonly once?: true;
  /** Its payload holds something that a reader of a dump could use, so it is stored encrypted. */
  readonly sealed?: true;
  /** It is looked up by something else than its id, so the id is kept inside the sealed payload. */
  readonly keepsId?: true;
  /** It is revoked with its grant. */
  readonly granted?: true;
  /** Seconds that it outlives its expiry, so that a late client hears `expired_token` (RFC 8628 §3.5). */
  readonly grace?: number;
}

const table = {
  AccessToken: { prefix: 'at', tagged: true, granted: true },
  AuthorizationCode: { prefix: 'ac', tagged: true, granted: true, once: true, sealed: true },
  BackchannelAuthenticationRequest: { granted: true, once: true, sealed: true, grace: 300 },
  ClientCredentials: { prefix: 'cc' },
  DeviceCode: { granted: true, once: true, sealed: true, keepsId: true, grace: 300 },
  Grant: {},
  InitialAccessToken: {},
  Interaction: { sealed: true },
  PreAuthorizedCode: { granted: true, once: true, sealed: true },
  PushedAuthorizationRequest: { once: true, sealed: true },
  RefreshToken: { prefix: 'rt', tagged: true, granted: true, once: true },
  RegistrationAccessToken: {},
  ReplayDetection: {},
  Session: { sealed: true, keepsId: true },
} as const satisfies Record<string, Kind>;

/** The models of oidc-provider that an artifact store keeps; clients are not among them. */
export type KindName = keyof typeof table;

const kinds = new Map(
  Object.entries(table as Record<string, Kind>).map(([name, kind]) => [name, { name: name as KindName, ...kind }]),
);

/** @throws RangeError for a model that is not kept here. */
export function kindOf(model: string): Kind & { readonly name: KindName } {
  const kind = kinds.get(model);
  if (!kind) throw new RangeError(`No artifact store keeps "${model}".`);
  return kind;
}

const tagLength = 10;
const secretLength = 43;

/** The hash tag that goes with a hash, so that keys known only by their hash can be found too. */
export const tagOfHash = (hash: string): string => hash.slice(0, tagLength).replaceAll('-', 'a').replaceAll('_', 'b');

/** Ten letters and digits that stand for `text`: the hash tag of its keys in Redis Cluster. */
export const tagOf = (text: string): string => tagOfHash(sha256(text));

/**
 * A new id with 256 random bits. Where the kind has a prefix it reads `<prefix>_<tag><random>`; the tag is that of the
 * grant, so every token of a grant is found in its slot without asking for it first.
 */
export function tokenIdFor(model: string, grantId: string | undefined): string {
  const { prefix, tagged } = kindOf(model);
  if (prefix === undefined) return randomSecret();
  const tag = tagged && grantId !== undefined ? tagOf(grantId) : tagOfHash(randomSecret());
  return `${prefix}_${tag}${randomSecret()}`;
}

/** The hash tag under which Redis keeps this artifact. For a session, `id` is its uid. */
export const slotOf = (model: string, id: string, hash?: string): string =>
  kindOf(model).tagged ? id.slice(3, 3 + tagLength) : hash === undefined ? tagOf(id) : tagOfHash(hash);

/** Whether an id can be of this kind at all. It never says that the artifact exists. */
export const mayBe = (kind: Kind, id: string): boolean =>
  kind.prefix === undefined ||
  (id.length === kind.prefix.length + 1 + tagLength + secretLength && id.startsWith(`${kind.prefix}_`));
