import { inflateSync } from 'node:zlib';
import { createRemoteJWKSet, jwtVerify } from 'jose';

/** Status of an entry, straight from draft-ietf-oauth-status-list §4.1; knows nothing of our code. */
export function statusOf({ bits, lst }: { bits: number; lst: string }, idx: number): number {
  const bytes = inflateSync(Buffer.from(lst, 'base64url'));
  const byte = bytes[Math.floor((idx * bits) / 8)];
  if (byte === undefined) throw new RangeError(`${idx} is out of bounds`);
  return (byte >> ((idx * bits) % 8)) & ((1 << bits) - 1);
}

/** How many entries are not valid. */
export const countInvalid = ({ lst }: { lst: string }): number =>
  inflateSync(Buffer.from(lst, 'base64url')).reduce(
    (sum, byte) => sum + byte.toString(2).replaceAll('0', '').length,
    0,
  );

export interface ListPayload {
  readonly iss: string;
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
  readonly ttl: number;
  readonly status_list: { readonly bits: number; readonly lst: string; readonly aggregation_uri?: string };
}

export interface Fetched {
  readonly response: Response;
  readonly token: string;
  readonly payload: ListPayload;
  readonly header: { readonly alg: string; readonly typ?: string; readonly kid?: string };
}

/** Fetches and verifies a list as the draft's §8.3 asks of a relying party. */
export async function fetchList(issuer: string, uri: string): Promise<Fetched> {
  const response = await fetch(uri, { headers: { accept: 'application/statuslist+jwt' } });
  if (response.status !== 200) throw new Error(`${response.status} for ${uri}`);
  const token = await response.text();
  const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`));
  const { payload, protectedHeader } = await jwtVerify(token, keys, { typ: 'statuslist+jwt', subject: uri });
  return { response, token, payload: payload as unknown as ListPayload, header: protectedHeader };
}

/** 0 or 1 for an access token that names its place. */
export async function statusOfToken(issuer: string, accessToken: string): Promise<number> {
  const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as {
    status: { status_list: { idx: number; uri: string } };
  };
  const { idx, uri } = claims.status.status_list;
  return statusOf((await fetchList(issuer, uri)).payload.status_list, idx);
}
