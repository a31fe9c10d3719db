/** The request that waits at the proxy. */
export interface OriginalRequest {
  readonly method: string;
  /** As the browser named it; not looked at where only a token counts. */
  readonly host: string;
  /** Path and query as they came, nothing decoded. */
  readonly uri: string;
  /** Every value of a header, by its name in lower case. */
  header(name: string): readonly string[];
  /** The names of all headers, as they were sent. */
  readonly headerNames: readonly string[];
  /** Address of the client. */
  readonly ip?: string;
  readonly requestId: string;
}

/** The path of an address, with nothing decoded or resolved. */
export const rawPath = (uri: string): string => uri.split('?', 1)[0] ?? '';

/** The query of an address. */
export const queryOf = (uri: string): URLSearchParams => new URLSearchParams(uri.slice(rawPath(uri).length));

/** One value of a parameter; undefined when it is missing, empty or there twice. */
export function single(query: URLSearchParams, name: string): string | undefined {
  const [value, ...more] = query.getAll(name);
  return more.length > 0 || value === '' ? undefined : value;
}

/** What stands in the Authorization header: nothing, a bearer token, or something that is not for us to read. */
export type Credential =
  | { readonly kind: 'none' | 'other' | 'unclear' }
  | { readonly kind: 'bearer'; readonly token: string };

/** Reads it. Two headers are unclear: the app behind might read the other one. */
export function credentialOf({ header }: OriginalRequest): Credential {
  const [value, ...more] = header('authorization');
  if (value === undefined) return { kind: 'none' };
  if (more.length > 0) return { kind: 'unclear' };
  if (!/^bearer(?: |$)/i.test(value)) return { kind: 'other' };
  const token = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(value)?.[1];
  return token === undefined ? { kind: 'unclear' } : { kind: 'bearer', token };
}

/** The value of a cookie; undefined when there is none, or several that differ in what they say. */
export function cookieOf({ header }: OriginalRequest, name: string): string | undefined {
  const values = header('cookie')
    .flatMap((line) => line.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return new Set(values).size === 1 ? values[0] : undefined;
}

const first = (request: OriginalRequest, name: string): string | undefined => request.header(name)[0]?.toLowerCase();

/** Whether a person waits for a page, so that a redirect makes sense. Scripts, forms and sockets want a status. */
export function isNavigation(request: OriginalRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  if (request.header('upgrade').length > 0 || first(request, 'x-requested-with') === 'xmlhttprequest') return false;
  const mode = first(request, 'sec-fetch-mode');
  if (mode !== undefined && mode !== 'navigate') return false;
  return request.header('accept').some((value) => value.toLowerCase().includes('text/html'));
}
