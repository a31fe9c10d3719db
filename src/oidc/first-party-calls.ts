import { type IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Context, Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { asOneRequest } from './first-party-assertions.ts';
import { directRedirect } from './first-party-redemption.ts';
import { protocolRoutes } from './routes.ts';

/** How a client says who it is: the header as it came, or the fields that a token request would have. */
export interface ClientProof {
  readonly authorization?: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

/** What a protocol endpoint answered. */
export interface ProtocolAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The client, once it had proven itself; also of a request that was refused afterwards. */
  readonly clientId?: string;
  /** Seconds. */
  readonly retryAfter?: number;
  readonly challenge?: string;
}

/**
 * Our own requests to the protocol endpoints on behalf of the request at hand, without a network in between. Whatever
 * these endpoints check, count, rotate and write down happens here too, because it is them.
 */
export interface ProtocolCalls {
  /** Says whether the client is who it says; ends and reads nothing. */
  authenticate(ctx: Context, proof: ClientProof): Promise<ProtocolAnswer>;
  redeem(ctx: Context, proof: ClientProof, code: { code: string; verifier: string }): Promise<ProtocolAnswer>;
  refresh(ctx: Context, proof: ClientProof, fields: Readonly<Record<string, string>>): Promise<ProtocolAnswer>;
  revoke(ctx: Context, proof: ClientProof, token: string): Promise<ProtocolAnswer>;
  introspect(ctx: Context, proof: ClientProof, token: string): Promise<ProtocolAnswer>;
  /** Pushes an authorization request (RFC 9126). */
  push(ctx: Context, proof: ClientProof, fields: Readonly<Record<string, string>>): Promise<ProtocolAnswer>;
  /** Runs calls that belong to one request; see {@link asOneRequest}. */
  together<T>(work: () => Promise<T>): Promise<T>;
}

/** Not a token of ours: the endpoint turns it down by its looks, after it has authenticated the client. */
const noToken = 'eyJhbGciOiJub25lIn0.e30.';

function requestFor(outer: Context, path: string, authorization: string | undefined, body: Buffer): IncomingMessage {
  const headers = {
    host: outer.host,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(body.length),
    'user-agent': outer.get('user-agent'),
    ...(authorization !== undefined && { authorization }),
  };
  const request = Readable.from([body], { objectMode: false });
  const { socket, httpVersion, httpVersionMajor, httpVersionMinor } = outer.req;
  Object.assign(request, { method: 'POST', url: path, headers, httpVersion, httpVersionMajor, httpVersionMinor });
  Object.defineProperty(request, 'socket', { value: socket });
  return request as unknown as IncomingMessage;
}

async function call(
  handle: Middleware,
  outer: Context,
  path: string,
  { authorization, fields }: ClientProof,
): Promise<ProtocolAnswer> {
  const body = Buffer.from(new URLSearchParams(fields).toString());
  const request = requestFor(outer, path, authorization, body);
  const ctx = outer.app.createContext(request, new ServerResponse(request));
  Object.assign(ctx.state, outer.state, { body });
  ctx.request.ip = outer.request.ip;
  await handle(ctx as never, async () => undefined);
  const { client } = (ctx as unknown as Partial<KoaContextWithOIDC>).oidc ?? {};
  const wait = ctx.response.get('retry-after');
  const challenge = ctx.response.get('www-authenticate');
  return {
    status: ctx.status,
    body: typeof ctx.body === 'object' && ctx.body !== null ? (ctx.body as Record<string, unknown>) : {},
    ...(client && { clientId: client.clientId }),
    ...(wait !== '' && { retryAfter: Number(wait) }),
    ...(challenge !== '' && { challenge }),
  };
}

/** Makes the calls. `handle` is the protocol with the unit of work around it, as requests from outside meet it. */
export function createProtocolCalls(handle: Middleware): ProtocolCalls {
  const post = (ctx: Context, path: string, proof: ClientProof, fields: Readonly<Record<string, string>>) =>
    call(handle, ctx, path, { ...proof, fields: { ...fields, ...proof.fields } });
  return {
    async authenticate(ctx, proof) {
      const answer = await post(ctx, protocolRoutes.revocation, proof, { token: noToken });
      const known = answer.clientId !== undefined && answer.status !== 401;
      return known && (answer.status === 200 || answer.body.error === 'unsupported_token_type')
        ? { ...answer, status: 200, body: {} }
        : answer;
    },
    redeem: (ctx, proof, { code, verifier }) =>
      post(ctx, protocolRoutes.token, proof, {
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: directRedirect,
      }),
    refresh: (ctx, proof, fields) => post(ctx, protocolRoutes.token, proof, { ...fields, grant_type: 'refresh_token' }),
    revoke: (ctx, proof, token) => post(ctx, protocolRoutes.revocation, proof, { token }),
    introspect: (ctx, proof, token) => post(ctx, protocolRoutes.introspection, proof, { token }),
    push: (ctx, proof, fields) => post(ctx, protocolRoutes.pushed_authorization_request, proof, fields),
    together: asOneRequest,
  };
}
