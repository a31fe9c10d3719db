import type { IncomingHttpHeaders } from 'node:http';
import { parse } from 'node:querystring';
import type { Client } from '../clients/index.ts';
import type { SessionMeta } from '../sessions/index.ts';
import type { OidcDomains } from './domains.ts';

/** A posted form, as it came in: of the right type, whole, and through every guard. */
export interface PlainRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Who sent it, for what is looked at by that. */
  readonly from?: SessionMeta;
}

/** A form whose sender proves itself by a client secret, which is how nearly every service calls. */
export interface SecretRequest {
  readonly fields: Readonly<Record<string, string>>;
  readonly clientId: string;
  readonly secret: string;
  readonly method: 'client_secret_basic' | 'client_secret_post';
}

/** A form of a client that has no secret: anybody can send it, so only what it carries may prove something. */
export interface PublicRequest {
  readonly fields: Readonly<Record<string, string>>;
  readonly clientId: string;
  readonly method: 'none';
}

/** RFC 6749 §2.3.1: both parts are form-encoded before they are joined. */
const decode = (part: string): string => decodeURIComponent(part.replaceAll('+', '%20'));

function basicCredentials(header: string): { clientId: string; secret: string } | undefined {
  const [scheme, encoded, ...rest] = header.split(' ');
  if (scheme?.toLowerCase() !== 'basic' || !encoded || rest.length > 0) return undefined;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  try {
    return { clientId: decode(text.slice(0, colon)), secret: decode(text.slice(colon + 1)) };
  } catch {
    return undefined;
  }
}

const ownNames = new Set(['client_id', 'client_secret']);

function readFields(body: Buffer, names: ReadonlySet<string>): Record<string, string> | undefined {
  if (body.length === 0) return undefined;
  const fields = parse(body.toString('utf8'));
  for (const name in fields) {
    if (typeof fields[name] !== 'string' || !(names.has(name) || ownNames.has(name))) return undefined;
  }
  return fields as Record<string, string>;
}

/**
 * Reads the plain kind of request: a form with no field but `names` and the client's own, each once. Undefined for
 * everything else (assertions, DPoP, CORS, other media types, malformed input), which oidc-provider answers.
 */
export function readClientRequest(
  { headers, body }: PlainRequest,
  names: ReadonlySet<string>,
): SecretRequest | PublicRequest | undefined {
  if (headers.origin || headers.dpop || headers.accept?.includes('jwt')) return undefined;
  const fields = readFields(body, names);
  if (!fields) return undefined;
  const { client_id: clientId, client_secret: secret } = fields;
  const header = headers.authorization ?? '';
  if (header === '') {
    if (!clientId) return undefined;
    if (secret === undefined) return { fields, clientId, method: 'none' };
    return secret ? { fields, clientId, secret, method: 'client_secret_post' } : undefined;
  }
  const basic = basicCredentials(header);
  if (!basic || secret !== undefined || (clientId !== undefined && clientId !== basic.clientId)) return undefined;
  return { fields, ...basic, method: 'client_secret_basic' };
}

/** The same, of those who have a secret. */
export function readSecretRequest(plain: PlainRequest, names: ReadonlySet<string>): SecretRequest | undefined {
  const request = readClientRequest(plain, names);
  return request?.method === 'none' ? undefined : request;
}

/**
 * The client that sent this, if it authenticates in the way that it registered, which for one without a secret is to
 * name itself. Undefined for any other, so that refusals have one origin, the library.
 */
export async function authenticateClient(
  clients: OidcDomains['clients'],
  request: SecretRequest | PublicRequest,
): Promise<Client | undefined> {
  const client = await clients.find(request.clientId);
  if (!client || client.disabled || client.metadata.token_endpoint_auth_method !== request.method) return undefined;
  if (request.method === 'none') return client;
  return (await clients.verifySecret(request.clientId, request.secret)) ? client : undefined;
}
