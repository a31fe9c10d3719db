import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  type Answer,
  type ForwardAuth,
  type ForwardAuthParts,
  isActive,
  type Mode,
  type RefusalLimit,
  readRequirement,
  type TokenFacts,
} from '../../forward-auth/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { createAccessWriter, type Observation } from '../http/access-log.ts';
import { createCallerReader } from '../http/client-address.ts';
import type { AccessFacts } from '../http/context.ts';
import { failureOf } from '../http/failure.ts';
import { requestIdFor } from '../http/request-id.ts';
import { bareHeaders } from '../http/security-headers.ts';
import { readProxyRequest } from './proxy-request.ts';

export interface ForwardAuthLaneOptions {
  readonly forwardAuth: ForwardAuth;
  readonly trustedProxies: readonly string[];
  /** Introspection with the rights of the server: only trusted proxies get this far. */
  readonly askToken: (token: string) => Promise<TokenFacts>;
  /** Bounds refused tokens by the address that they come from. */
  readonly refusals: RefusalLimit;
  /** What has to be done before any answer. */
  readonly prepare: () => Promise<void>;
  readonly clock: ForwardAuthParts['clock'];
  readonly logger: Logger;
  /** Where finished requests are written. */
  readonly access: Logger;
  readonly observe: (observation: Observation) => void;
  /** For metrics. */
  readonly onDecision: (outcome: Answer['outcome']) => void;
  /** Takes every other request. */
  readonly ordinary: RequestListener;
}

/** Issuer-relative paths, and how each wants its answers. */
export const forwardAuthPaths: Readonly<Record<string, Mode>> = {
  '/forward-auth/check': 'any',
  '/forward-auth/status': 'status',
  '/forward-auth/browser': 'browser',
};

type Headers = Record<string, string | readonly string[]>;

function send(res: ServerResponse, status: number, headers: Headers, text: string): void {
  const body = text === '' ? '' : `${text}\n`;
  res.writeHead(status, {
    ...bareHeaders,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    ...(headers as Record<string, string>),
  });
  res.end(body);
}

function sendAnswer(res: ServerResponse, requestId: string, answer: Answer): void {
  const own = { 'X-Request-Id': requestId };
  if (answer.outcome === 'allow') {
    send(res, 200, { ...own, ...answer.headers }, '');
    return;
  }
  const { cookies = [] } = answer;
  const headers = { ...own, ...(cookies.length > 0 && { 'Set-Cookie': cookies }) };
  if (answer.outcome === 'redirect') {
    send(res, 302, { ...headers, Location: answer.location }, '');
  } else {
    const { status, challenge, retryAfter, text } = answer;
    const more = {
      ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
      ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    };
    send(res, status, { ...headers, ...more }, text);
  }
}

function splitUrl(url = ''): { readonly path: string; readonly query: URLSearchParams } {
  const at = url.indexOf('?');
  return at < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

/**
 * Takes the questions of proxies before anything else does: they come with every request of every app behind them. Only
 * the addresses of `SALLYPORT_TRUSTED_PROXIES` are answered, under whatever name they know this server by.
 */
export function createForwardAuthLane(options: ForwardAuthLaneOptions): RequestListener {
  const { forwardAuth, askToken, refusals, prepare, logger, onDecision, ordinary } = options;
  const callerOf = createCallerReader(options);
  const watch = createAccessWriter({ logger: options.access, observe: options.observe });

  const decide = async (req: IncomingMessage, mode: Mode, who: { ip: string; requestId: string }): Promise<Answer> => {
    const wanted = readRequirement(splitUrl(req.url).query);
    const request = readProxyRequest(req, { ...who, described: wanted.app !== undefined });
    await prepare();
    const ask = (token: string) =>
      refusals.ask({ by: 'proxies', address: who.ip, credential: token }, () => askToken(token), isActive);
    return forwardAuth.check(request, wanted, { mode, ask });
  };

  const fail = (res: ServerResponse, thrown: unknown, requestId: string): AccessFacts['refusal'] => {
    const { status, message, headers, code, reason, defect } = failureOf(thrown);
    if (defect) logger.error({ err: thrown, requestId }, 'a request at a proxy could not be decided');
    send(res, status, { ...headers, 'X-Request-Id': requestId }, `${message} (${requestId})`);
    return { code, ...(reason !== undefined && { reason }) };
  };

  const serve = async (req: IncomingMessage, res: ServerResponse, mode: Mode): Promise<void> => {
    const { ip, trustedPeer } = callerOf(req);
    const requestId = requestIdFor(req, trustedPeer);
    const facts: { client?: string; refusal?: AccessFacts['refusal'] } = {};
    watch(res, () => ({ method: req.method ?? '', route: 'forward_auth', ip, requestId, ...facts }));
    req.resume();
    try {
      if (!trustedPeer) {
        throw new AppError('forbidden', 'Only proxies that this server trusts are answered here.', {
          reason: 'not in SALLYPORT_TRUSTED_PROXIES',
        });
      }
      const answer = await decide(req, mode, { ip, requestId });
      onDecision(answer.outcome);
      if (answer.client !== undefined) facts.client = answer.client;
      if (answer.outcome === 'refuse') facts.refusal = { code: 'refused', reason: answer.reason };
      sendAnswer(res, requestId, answer);
    } catch (thrown) {
      facts.refusal = fail(res, thrown, requestId);
    }
  };

  return (req, res) => {
    const { path } = splitUrl(req.url);
    const mode = Object.hasOwn(forwardAuthPaths, path) ? forwardAuthPaths[path] : undefined;
    if (mode === undefined) ordinary(req, res);
    else void serve(req, res, mode);
  };
}
