import { sha256 } from '../shared/crypto.ts';

/** A token that is about to be issued, by everything that can be revoked of it. */
export interface StatusSubject {
  readonly jti: string;
  readonly clientId: string;
  readonly grantId?: string | undefined;
  readonly accountId?: string | undefined;
  /** What the account lets the client do, as `accessId` of the revocations makes it. */
  readonly accessId?: string | undefined;
  /** Of the browser's session; only for tokens that end with it. */
  readonly sessionUid?: string | undefined;
  /** Identifier of the API that it is for. */
  readonly api: string;
  /** What it was made from, beside its grant: it ends with any of them. */
  readonly ancestors?: readonly StatusAncestor[] | undefined;
  /** Whole seconds since the epoch, as `exp`: of the token, or of the oldest one that it was made from. */
  readonly iat: number;
  readonly exp: number;
}

/** A token, app, account or API behind a token, or an API key (`key`): its id, a dot and the start of its text's hash. */
export interface StatusAncestor {
  readonly kind: 'token' | 'client' | 'account' | 'api' | 'key';
  readonly id: string;
  /** Whether `id` is the SHA-256 of it already. */
  readonly isHash?: boolean;
}

/** The value of `status.status_list` (draft §6.2). */
export interface StatusReference {
  readonly idx: number;
  readonly uri: string;
}

/** A place in a list. */
export interface StatusPlace {
  readonly listId: string;
  readonly idx: number;
}

/** A token at rest: nothing of it can be read, only recognised. */
export interface StatusEntry extends StatusPlace {
  readonly tokenKey: string;
  readonly clientId: string;
  readonly grantKey: string | null;
  readonly accountKey: string | null;
  readonly accessKey: string | null;
  readonly sessionKey: string | null;
  readonly apiKey: string | null;
  /** `kind:key`, or `key:` and the id as it is, because that of an API key is no secret. */
  readonly ancestors: readonly string[] | null;
  /** Milliseconds since the epoch, as `expiresAt`. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Characters of a revocation's hash that an entry keeps: 132 bits. */
export const keyLength = 22;

const keyOf = (id: string | undefined): string | null => (id === undefined ? null : sha256(id).slice(0, keyLength));

const nameOf = ({ kind, id, isHash }: StatusAncestor): string =>
  `${kind}:${kind === 'key' ? id : isHash ? id.slice(0, keyLength) : keyOf(id)}`;

/** Seconds after `exp` that verifiers with slow clocks may still ask. */
const graceSeconds = 60;

export const entryOf = (subject: StatusSubject, place: StatusPlace): StatusEntry => ({
  ...place,
  tokenKey: sha256(subject.jti).slice(0, keyLength),
  clientId: subject.clientId,
  grantKey: keyOf(subject.grantId),
  accountKey: keyOf(subject.accountId),
  accessKey: keyOf(subject.accessId),
  sessionKey: keyOf(subject.sessionUid),
  apiKey: keyOf(subject.api),
  ancestors: subject.ancestors?.length ? subject.ancestors.map(nameOf) : null,
  issuedAt: subject.iat * 1000,
  expiresAt: (subject.exp + graceSeconds) * 1000,
});
