/** Whom a request that may pass comes from. What is left out is not known or not for this app to know. */
export interface Identity {
  /** Account id; absent when a program acts for itself. */
  readonly user?: string | undefined;
  readonly username?: string | undefined;
  readonly name?: string | undefined;
  /** Only an address that its person has confirmed. */
  readonly email?: string | undefined;
  readonly client: string;
  readonly scopes: readonly string[];
  readonly acr?: string | undefined;
  readonly requestId: string;
}

const makers: Readonly<Record<string, (identity: Identity) => string | undefined>> = {
  'X-Auth-User': ({ user }) => user,
  'X-Auth-Username': ({ username }) => username,
  'X-Auth-Name': ({ name }) => name,
  'X-Auth-Email': ({ email }) => email,
  'X-Auth-Client': ({ client }) => client,
  'X-Auth-Scopes': ({ scopes }) => scopes.join(' '),
  'X-Auth-Acr': ({ acr }) => acr,
  'X-Auth-Request-Id': ({ requestId }) => requestId,
};

/** The headers that tell an app who it is, in the order of the documentation. Nobody else may set them. */
export const identityHeaderNames: readonly string[] = Object.keys(makers);

const longest = 1000;

/** Printable ASCII as it is, everything else and `%` as percent-encoded UTF-8: no line can be ended, no byte guessed at. */
const encode = (value: string): string =>
  value
    .toWellFormed()
    .slice(0, longest)
    .toWellFormed()
    .replace(/[^\x20-\x7e]|%/gu, (sign) => encodeURIComponent(sign))
    .trim();

/** Every identity header, the unknown ones empty, so that a proxy that copies them overwrites what a client sent. */
export const identityHeaders = (identity: Identity): Record<string, string> =>
  Object.fromEntries(Object.entries(makers).map(([name, make]) => [name, encode(make(identity) ?? '')]));

const fold = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '-');
const folded = new Set(identityHeaderNames.map(fold));
const exact = new Set(identityHeaderNames.map((name) => name.toLowerCase()));

/**
 * Whether a header that a client sent would be taken for one of ours by an app that reads headers as CGI variables
 * (RFC 3875 §4.1.18), where `X_Auth_User` and `X-Auth-User` are one. A proxy that overwrites ours lets it through.
 */
export const isLookalike = (name: string): boolean => folded.has(fold(name)) && !exact.has(name.toLowerCase());
