import type { ClientKind } from './client.ts';

const maxLength = 1024;
/** The hosts that mean this machine; loopback names are compared exactly (RFC 8252 §7.3). */
const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);
const reverseDomain = /^[a-z][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+:$/;
const hostname = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])$/;
// Encoded dots, slashes, backslashes, percents and controls: servers differ in when they decode them.
const treacherousEscape = /%(?:2[ef5]|5c)/i;
const escapedControl = /%(?:[01][0-9a-f]|7f)/i;
const responseParameters = [
  'code',
  'state',
  'iss',
  'error',
  'error_description',
  'id_token',
  'access_token',
  'response',
];

export interface UriRules {
  readonly kind: ClientKind;
  /** Lets web and browser apps use plain http on this machine; for development. */
  readonly allowLoopbackHttp: boolean;
}

/** Checks that hold for every address of an app, whatever it is for. */
function writingProblem(uri: string, url: URL): string | undefined {
  if (url.href.includes('#') || uri.includes('#')) return 'It has a fragment.';
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?]*@/.test(uri)) return 'It has a user name.';
  // What a parser would rewrite, two parsers may rewrite differently: default ports, dot segments, IDN, capitals.
  if (url.href !== uri && url.href !== `${uri}/`) return `It is not in its normal form, which is ${url.href}`;
  const web = url.protocol === 'https:' || url.protocol === 'http:';
  if (web && !hostname.test(url.hostname)) return 'Its host is neither a domain nor an address.';
  if (treacherousEscape.test(url.pathname) || /\/\.\.?;/.test(url.pathname) || escapedControl.test(uri)) {
    return 'It hides characters behind escapes.';
  }
  return undefined;
}

function schemeProblem(url: URL, { kind, allowLoopbackHttp }: UriRules): string | undefined {
  const local = loopback.has(url.hostname);
  if (url.protocol === 'https:') {
    return kind === 'native' && local ? 'Use http for a loopback address of a native app.' : undefined;
  }
  if (url.protocol === 'http:') {
    if (!local) return 'Use https. Plain http is for loopback addresses only.';
    return kind === 'native' || allowLoopbackHttp ? undefined : 'Use https. Only native apps may use plain http.';
  }
  if (kind !== 'native') return 'Use https.';
  if (!reverseDomain.test(url.protocol))
    return 'Use a scheme that is a domain of yours backwards, such as com.example.app';
  return url.pathname.startsWith('/') || url.host !== '' ? undefined : 'Give it a path: com.example.app:/callback';
}

function parse(uri: string): URL | string {
  if (uri.length > maxLength) return `It is longer than ${maxLength} characters.`;
  if (/[^\x21-\x7e]/.test(uri) || uri.includes('\\')) return 'It has spaces or characters outside ASCII.';
  if (uri.includes('*')) return 'Wildcards are not supported. Register each address.';
  return URL.parse(uri) ?? 'It is not an absolute address.';
}

/**
 * Why this cannot be a redirect URI, or undefined when it can. URIs are compared character by character later
 * (RFC 9700 §2.1), so what is ambiguous is refused here.
 */
export function redirectUriProblem(uri: string, rules: UriRules): string | undefined {
  const url = parse(uri);
  if (typeof url === 'string') return url;
  const problem = writingProblem(uri, url) ?? schemeProblem(url, rules);
  if (problem !== undefined) return problem;
  const clash = responseParameters.find((name) => url.searchParams.has(name));
  return clash === undefined ? undefined : `Its query has ${clash}, which the response will carry.`;
}

/** Why this cannot be the address of a page or endpoint of an app, or undefined when it can. */
export function webUriProblem(uri: string, allowLoopbackHttp: boolean): string | undefined {
  const url = parse(uri);
  if (typeof url === 'string') return url;
  return writingProblem(uri, url) ?? schemeProblem(url, { kind: 'web', allowLoopbackHttp });
}
