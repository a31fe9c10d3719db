import { status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Client } from '../clients/index.ts';
import {
  type Answer,
  type ForwardAuth,
  isActive,
  isLookalike,
  type OriginalRequest,
  type RefusalLimit,
  type Requirement,
  readRequirement,
  type TokenFacts,
} from '../forward-auth/index.ts';
import { AppError } from '../shared/errors.ts';
import type { CallFacts, Frame } from './call-frame.ts';

interface Needs {
  readonly frame: Frame;
  readonly forwardAuth: ForwardAuth;
  /** Introspection with the rights of that client. */
  readonly ask: (asker: Client, token: string) => Promise<TokenFacts>;
  /** Bounds refused tokens by the address that they come from. */
  readonly refusals: RefusalLimit;
}

interface HeaderValue {
  readonly key: string;
  readonly value: string;
  readonly rawValue: Buffer;
}

interface CheckRequest {
  readonly attributes: {
    readonly source: {
      readonly address: { readonly socketAddress: { readonly address: string } | null } | null;
    } | null;
    readonly request: {
      readonly http: {
        readonly method: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly path: string;
        readonly host: string;
        readonly headerMap: { readonly headers: readonly HeaderValue[] } | null;
      } | null;
    } | null;
    readonly contextExtensions: Readonly<Record<string, string>>;
  } | null;
}

type Http = NonNullable<NonNullable<NonNullable<CheckRequest['attributes']>['request']>['http']>;

const textOf = ({ value, rawValue }: HeaderValue): string =>
  rawValue.length > 0 ? rawValue.toString('latin1') : value;

/** Envoy sends either a map with repeated headers joined, or all of them apart. */
function headersOf({ headers, headerMap }: Http): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const pairs = headerMap?.headers.map((header) => [header.key, textOf(header)] as const) ?? [];
  for (const [key, value] of [...Object.entries(headers), ...pairs]) {
    const name = key.toLowerCase();
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

function originalOf({ attributes }: CheckRequest, requestId: string): OriginalRequest {
  const http = attributes?.request?.http;
  if (!http) throw new AppError('invalid_input', 'The check has no HTTP request.');
  const headers = headersOf(http);
  const ip = attributes?.source?.address?.socketAddress?.address;
  return {
    method: http.method,
    host: http.host,
    uri: http.path,
    header: (name) => headers.get(name) ?? [],
    headerNames: [...headers.keys()],
    requestId,
    ...(ip && { ip }),
  };
}

const overwrite = ([key, value]: readonly [string, string]) => ({
  header: { key: key.toLowerCase(), value },
  appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD',
});
const append = ([key, value]: readonly [string, string]) => ({
  header: { key, value },
  appendAction: 'APPEND_IF_EXISTS_OR_ADD',
});

/** Identity headers that say something are set over what the client sent; the others and their lookalikes go away. */
function allow(headers: Readonly<Record<string, string>>, names: readonly string[]) {
  const entries = Object.entries(headers);
  const empty = entries.filter(([, value]) => value === '').map(([name]) => name.toLowerCase());
  return {
    status: { code: status.OK, message: '' },
    okResponse: {
      headers: entries.filter(([, value]) => value !== '').map(overwrite),
      headersToRemove: [...empty, ...names.filter(isLookalike)],
    },
  };
}

const codes = { 401: status.UNAUTHENTICATED, 403: status.PERMISSION_DENIED, 429: status.RESOURCE_EXHAUSTED } as const;

function deny(answer: Exclude<Answer, { outcome: 'allow' }>) {
  const cookies = (answer.cookies ?? []).map((cookie) => append(['set-cookie', cookie]));
  const common = [overwrite(['cache-control', 'no-store']), ...cookies];
  if (answer.outcome === 'redirect') {
    return {
      status: { code: status.UNAUTHENTICATED, message: 'sign in' },
      deniedResponse: {
        status: { code: 302 },
        headers: [...common, overwrite(['location', answer.location])],
        body: '',
      },
    };
  }
  const { challenge, retryAfter, text, reason } = answer;
  const challenges = challenge === undefined ? [] : [overwrite(['www-authenticate', challenge])];
  const waits = retryAfter === undefined ? [] : [overwrite(['retry-after', String(retryAfter)])];
  const type = overwrite(['content-type', 'text/plain; charset=utf-8']);
  return {
    status: { code: codes[answer.status], message: reason },
    deniedResponse: {
      status: { code: answer.status },
      headers: [...common, type, ...challenges, ...waits],
      body: `${text}\n`,
    },
  };
}

/** Sessions of an app are for its own proxy, or for one that may ask about everything. */
function assertMayAsk(caller: Client, { app }: Requirement): void {
  if (app === undefined || app === caller.id || caller.mayIntrospect) return;
  throw new AppError('forbidden', 'This client may not ask about the sessions of another app.');
}

/** `envoy.service.auth.v3.Authorization`. The rule is in the filter's context extensions, by the names of forward auth. */
export function createExtAuthz({ frame, forwardAuth, ask, refusals }: Needs): UntypedServiceImplementation {
  const check = async (request: CheckRequest, { caller, requestId }: CallFacts) => {
    const wanted = readRequirement(Object.entries(request.attributes?.contextExtensions ?? {}));
    assertMayAsk(caller, wanted);
    const original = originalOf(request, requestId);
    const limited = (token: string) =>
      refusals.ask({ by: caller.id, address: original.ip, credential: token }, () => ask(caller, token), isActive);
    const how = { mode: 'any', ask: limited, removesHeaders: true } as const;
    const answer = await forwardAuth.check(original, wanted, how);
    return answer.outcome === 'allow' ? allow(answer.headers, original.headerNames) : deny(answer);
  };
  return { check: frame(check) };
}
