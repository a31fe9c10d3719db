import type { Access } from './access.ts';
import { AccessError } from './access-error.ts';
import type { ClientCertificate } from './certificate.ts';
import type { ResourceServer } from './create-resource-server.ts';
import type { AuthorizedRequest } from './token-request.ts';

/** What a request needs besides a good token: throws what the `require…` functions throw. */
export type Demand = (access: Access) => void;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The part of Node's request that is read. */
interface NodeRequest {
  readonly method?: string | undefined;
  readonly headers: Headers;
  readonly headersDistinct?: Readonly<Record<string, string[] | undefined>>;
  readonly socket?: object;
}

/** What a TLS socket has and a plain one has not. */
interface TlsSocket {
  readonly authorized?: boolean;
  getPeerCertificate?(): { readonly raw?: Uint8Array } | null;
}

/** One value, however often the header came: two proofs are none (RFC 9449 §4.3). */
const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value;

/** The certificate of a mutual TLS connection that ends in this process and was verified here. */
function certificateOf({ socket }: NodeRequest): ClientCertificate | undefined {
  const tls: TlsSocket = socket ?? {};
  const raw = tls.authorized === true ? tls.getPeerCertificate?.()?.raw : undefined;
  return raw && { raw };
}

/** The path comes from the request; who we are does not: `Host` is chosen by the caller. */
const addressOf = ({ baseUrl }: ResourceServer, path: string | undefined): string | undefined =>
  baseUrl === undefined || !path?.startsWith('/') ? undefined : `${baseUrl}${path}`;

const readNode = (server: ResourceServer, request: NodeRequest, path: string | undefined): AuthorizedRequest => ({
  authorization: single(request.headersDistinct?.authorization ?? request.headers.authorization),
  proof: single(request.headersDistinct?.dpop ?? request.headers.dpop),
  method: request.method,
  url: addressOf(server, path),
  certificate: certificateOf(request),
});

async function admit(server: ResourceServer, request: AuthorizedRequest, demand?: Demand): Promise<Access> {
  const access = await server.authenticate(request);
  demand?.(access);
  return access;
}

/** What a refusal looks like on the wire; anything else that was thrown is thrown on. */
function refusalOf(error: unknown): AccessError {
  if (error instanceof AccessError) return error;
  throw error;
}

interface KoaContext {
  readonly req: NodeRequest;
  readonly originalUrl: string;
  readonly state: object;
  status: number;
  body: unknown;
  set(headers: Record<string, string>): void;
}

/** Koa middleware: puts the access into `ctx.state.access`, or answers for you. */
export const forKoa =
  (server: ResourceServer, demand?: Demand) =>
  async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    let access: Access;
    try {
      access = await admit(server, readNode(server, ctx.req, ctx.originalUrl), demand);
    } catch (error) {
      const { status, headers, body } = refusalOf(error);
      ctx.status = status;
      ctx.set({ ...headers });
      ctx.body = body;
      return;
    }
    (ctx.state as { access?: Access }).access = access;
    await next();
  };

interface ExpressRequest extends NodeRequest {
  readonly originalUrl?: string;
  readonly url?: string | undefined;
}

interface ExpressResponse {
  readonly locals: Record<string, unknown>;
  status(code: number): ExpressResponse;
  set(headers: Record<string, string>): ExpressResponse;
  json(body: unknown): unknown;
}

/** Express middleware: puts the access into `res.locals.access`, or answers for you. */
export const forExpress =
  (server: ResourceServer, demand?: Demand) =>
  async (req: ExpressRequest, res: ExpressResponse, next: (error?: unknown) => void): Promise<void> => {
    try {
      res.locals.access = await admit(server, readNode(server, req, req.originalUrl ?? req.url), demand);
    } catch (error) {
      if (!(error instanceof AccessError)) return next(error);
      res
        .status(error.status)
        .set({ ...error.headers })
        .json(error.body);
      return;
    }
    next();
  };

interface FastifyRequest {
  readonly raw: NodeRequest;
  readonly originalUrl: string;
}

interface FastifyReply {
  code(status: number): FastifyReply;
  headers(values: Record<string, string>): FastifyReply;
  send(body: unknown): unknown;
}

/** A Fastify hook (`onRequest`, `preHandler`): puts the access into `request.access`, or answers for you. */
export const forFastify =
  (server: ResourceServer, demand?: Demand) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    try {
      const access = await admit(server, readNode(server, request.raw, request.originalUrl), demand);
      (request as { access?: Access }).access = access;
      return undefined;
    } catch (error) {
      const { status, headers, body } = refusalOf(error);
      return reply
        .code(status)
        .headers({ ...headers })
        .send(body);
    }
  };

/** For `fetch`-style handlers. @throws AccessError; {@link toResponse} makes the answer of it. */
export async function forRequest(
  server: ResourceServer,
  request: Request,
  { demand, certificate }: { readonly demand?: Demand; readonly certificate?: ClientCertificate } = {},
): Promise<Access> {
  const { pathname, search } = new URL(request.url);
  const { headers, method } = request;
  const authorization = headers.get('authorization') ?? undefined;
  const proof = headers.get('dpop') ?? undefined;
  return admit(
    server,
    { authorization, proof, method, certificate, url: addressOf(server, pathname + search) },
    demand,
  );
}

/** The answer that a refusal is. Anything else is thrown on. */
export function toResponse(error: unknown): Response {
  const { status, headers, body } = refusalOf(error);
  return Response.json(body, { status, headers: { ...headers, 'Cache-Control': 'no-store' } });
}
