import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';

/** The part of a response that the browser itself wrote (WebAuthn L3 §5.8.1). */
export interface ClientData {
  readonly type: string;
  /** base64url. */
  readonly challenge: string;
  readonly origin: string;
  /** The page was in a frame of another site. */
  readonly crossOrigin: boolean;
}

/** A response of the right shape, of which nothing is proven yet. */
export interface ReadResponse<Json> {
  readonly credentialId: string;
  readonly client: ClientData;
  /** Only what the shape was checked of; whatever else came with it is gone. */
  readonly json: Json;
}

type Fields = Readonly<Record<string, unknown>>;

/** Longest credential id: 1023 bytes (WebAuthn L3 §7.1, step 25), as base64url. */
const longestId = 1364;
const longestHandle = 86;
const longestPart = 16_384;
const mostTransports = 10;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectOf(input: unknown): Fields | undefined {
  try {
    const value: unknown = typeof input === 'string' ? JSON.parse(input) : input;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const bytesOf = (value: unknown, longest = longestPart): string | undefined =>
  typeof value === 'string' && value.length <= longest && /^[\w-]+$/.test(value) ? value : undefined;

function clientDataOf(value: unknown): ClientData | undefined {
  const text = bytesOf(value);
  if (text === undefined) return undefined;
  const data = objectOf(Buffer.from(text, 'base64url').toString());
  const { type, challenge, origin, crossOrigin, topOrigin } = data ?? {};
  if (typeof type !== 'string' || typeof origin !== 'string') return undefined;
  if (typeof challenge !== 'string' || !/^[\w-]{16,100}$/.test(challenge)) return undefined;
  return {
    type,
    challenge,
    origin,
    crossOrigin: (crossOrigin ?? false) !== false || topOrigin !== undefined,
  };
}

interface Frame {
  readonly id: string;
  readonly client: ClientData;
  readonly clientDataJSON: string;
  readonly response: Fields;
}

function readFrame(input: unknown): Frame | undefined {
  const value = objectOf(input);
  const response = objectOf(value?.response);
  const id = bytesOf(value?.id, longestId);
  const clientDataJSON = bytesOf(response?.clientDataJSON);
  const client = clientDataOf(clientDataJSON);
  if (!response || id === undefined || clientDataJSON === undefined || !client) return undefined;
  return value?.rawId === id && value.type === 'public-key' ? { id, client, clientDataJSON, response } : undefined;
}

const head = (id: string) => ({ id, rawId: id, type: 'public-key' as const, clientExtensionResults: {} });

/** Reads what `navigator.credentials.create` gave, as JSON text or parsed; undefined when it is nothing of the kind. */
export function readRegistration(input: unknown): ReadResponse<RegistrationResponseJSON> | undefined {
  const frame = readFrame(input);
  const attestationObject = bytesOf(frame?.response.attestationObject);
  if (!frame || attestationObject === undefined) return undefined;
  const { id, client, clientDataJSON, response } = frame;
  return {
    credentialId: id,
    client,
    json: { ...head(id), response: { clientDataJSON, attestationObject, transports: transportsOf(response) } },
  };
}

/** Words we do not know are kept too: they come back to the browser that wrote them (WebAuthn L3 §7.1, step 27). */
function transportsOf({ transports }: Fields): NonNullable<RegistrationResponseJSON['response']['transports']> {
  const all: readonly unknown[] = Array.isArray(transports) ? transports : [];
  const words = all.filter((word): word is string => typeof word === 'string' && /^[a-z-]{2,20}$/.test(word));
  return [...new Set(words)].slice(0, mostTransports) as ReturnType<typeof transportsOf>;
}

/** Reads what `navigator.credentials.get` gave, as JSON text or parsed; undefined when it is nothing of the kind. */
export function readAuthentication(input: unknown): ReadResponse<AuthenticationResponseJSON> | undefined {
  const frame = readFrame(input);
  const authenticatorData = bytesOf(frame?.response.authenticatorData);
  const signature = bytesOf(frame?.response.signature);
  if (!frame || authenticatorData === undefined || signature === undefined) return undefined;
  const { id, client, clientDataJSON, response } = frame;
  const userHandle = bytesOf(response.userHandle, longestHandle);
  if (userHandle === undefined && (response.userHandle ?? undefined) !== undefined) return undefined;
  return {
    credentialId: id,
    client,
    json: {
      ...head(id),
      response: { clientDataJSON, authenticatorData, signature, ...(userHandle !== undefined && { userHandle }) },
    },
  };
}
