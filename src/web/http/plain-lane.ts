import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createAccessWriter } from './access-log.ts';
import { type Arrival, noteArrival } from './arrival.ts';
import { readBody } from './body-guard.ts';
import { createCallerReader } from './client-address.ts';
import type { EdgeOptions } from './edge.ts';
import { createHostCheck } from './host-guard.ts';
import { hasNul } from './input-guard.ts';
import { requestIdFor } from './request-id.ts';
import { findRoute, type RouteName } from './routes.ts';
import { securityHeadersOf } from './security-headers.ts';

/** A posted form that every guard let through. */
export interface PlainForm {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly from: { readonly ip: string; readonly requestId: string; readonly userAgent?: string };
}

export interface PlainLaneOptions extends EdgeOptions {
  /** The paths, as they are written, whose forms are worth a look. */
  readonly paths: readonly string[];
  /** Whether the limits let this caller ask. */
  readonly mayPass: (route: RouteName, ip: string) => boolean;
  /** What has to be done before any answer. */
  readonly prepare: () => Promise<void>;
  /** The JSON of a 200, or undefined for what is not plain. It has no effect then. */
  readonly answer: (form: PlainForm) => Promise<unknown>;
  /** Takes all other requests, and those of this lane that were not plain after all. */
  readonly ordinary: RequestListener;
}

const formType = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i;

/** Of the one type, of a known length, as it is. Whatever else may be fine as well is for the body guard to say. */
function isPlainForm({ headers }: IncomingMessage, limit: number): boolean {
  const length = Number(headers['content-length']);
  if (!(length > 0 && length <= limit) || headers['transfer-encoding'] !== undefined) return false;
  return headers['content-encoding'] === undefined && formType.test(headers['content-type'] ?? '');
}

const senderOf = ({ caller, requestId }: Arrival, { 'user-agent': agent }: IncomingHttpHeaders): PlainForm['from'] => ({
  ip: caller.ip,
  requestId,
  ...(agent !== undefined && { userAgent: agent.slice(0, 300) }),
});

function send(res: ServerResponse, headers: readonly string[], requestId: string, answer: unknown): void {
  const text = JSON.stringify(answer);
  const length = String(Buffer.byteLength(text));
  res.writeHead(200, [...headers, 'X-Request-Id', requestId, 'Content-Length', length]).end(text);
}

/**
 * A short way for the requests that services send all day: from the socket to the answer without Koa. It holds every
 * request against the same rules as the edge, which owns them; it answers 200 and nothing else. What a rule refuses,
 * what is not plain and what fails goes on to the ordinary way, with what was found out about it until then, so that
 * every refusal has one origin.
 */
export function createPlainLane(options: PlainLaneOptions): RequestListener {
  const { bodyLimit, clock, mayPass, prepare, answer, ordinary } = options;
  const routes = new Map(options.paths.map((path) => [path, findRoute(path)]));
  const headers = new Map(
    [...routes.values()].map(({ name, kind }) => {
      const all = { ...securityHeadersOf(kind, options), 'Content-Type': 'application/json; charset=utf-8' };
      return [name, Object.entries(all).flat()];
    }),
  );
  const addressed = createHostCheck(options.issuer);
  const callerOf = createCallerReader(options);
  const watch = createAccessWriter({ ...options, logger: options.access });

  const tryToAnswer = async (req: IncomingMessage, route: RouteName, arrival: Arrival): Promise<unknown> => {
    const path = req.url ?? '';
    const body = await readBody(req, bodyLimit);
    if (!body) return undefined;
    arrival.body = body;
    if (body.length === 0 || hasNul(req, body) || !mayPass(route, arrival.caller.ip)) return undefined;
    try {
      await prepare();
      const { headers } = req;
      const found = await answer({ path, headers, body, from: senderOf(arrival, headers) });
      if (found === undefined) arrival.declined = true;
      return found;
    } catch (thrown) {
      arrival.failure = { thrown };
      return undefined;
    }
  };

  const serve = async (req: IncomingMessage, res: ServerResponse, route: RouteName): Promise<void> => {
    const caller = callerOf(req);
    const { ip } = caller;
    const requestId = requestIdFor(req, caller.trustedPeer);
    const describe = () => ({ method: 'POST', route, ip, requestId });
    const arrival: Arrival = { caller, requestId, startedAt: clock.now(), describe };
    watch(res, () => arrival.describe());
    // A body that breaks off is reported by the ordinary way, which will find the connection closed.
    const found = await tryToAnswer(req, route, arrival).catch(() => undefined);
    if (found !== undefined) return send(res, headers.get(route) ?? [], requestId, found);
    noteArrival(req, arrival);
    ordinary(req, res);
  };

  return (req, res) => {
    const route = req.method === 'POST' ? routes.get(req.url ?? '') : undefined;
    if (!route || addressed(req) !== 'here' || !isPlainForm(req, bodyLimit)) ordinary(req, res);
    else void serve(req, res, route.name);
  };
}
