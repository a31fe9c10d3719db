import type Koa from 'koa';

/** What the edge knows of a request; filled in by the outer middlewares, in the order of the fields. */
export interface EdgeState {
  /** Address of the client, after trusted proxies, in its canonical form. */
  ip: string;
  /** Whether the peer of the socket is one of the trusted proxies. */
  trustedPeer: boolean;
  /** The scheme that the client used, as far as a trusted proxy says. Links and cookies follow the issuer instead. */
  clientProtocol: 'http' | 'https';
  requestId: string;
  /** When the request arrived, milliseconds since the epoch. */
  startedAt: number;
  /** The whole request body when there was one; it can still be read from the request as well. */
  body?: Buffer;
  /** A page's own name for the log, when its URL alone does not say which step it was. */
  route?: string;
  /** Whose console this is: a form of it is good for them only. */
  person?: string;
  /** Why the request was refused, for the access log. */
  refusal?: { readonly code: string; readonly reason?: string };
}

/** Who is calling. */
export type Caller = Pick<EdgeState, 'ip' | 'trustedPeer' | 'clientProtocol'>;

/** What the access log says of a request, apart from when and how it ended. */
export interface AccessFacts {
  readonly method: string;
  /** A route of the closed set. */
  readonly route: string;
  /** What the log calls it, when that says more. */
  readonly step?: string | undefined;
  readonly ip: string;
  readonly requestId: string;
  readonly client?: string | undefined;
  readonly refusal?: EdgeState['refusal'];
}

export type EdgeContext = Koa.ParameterizedContext<EdgeState>;
export type EdgeMiddleware = Koa.Middleware<EdgeState>;
