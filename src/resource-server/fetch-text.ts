/** The part of `fetch` that is used here; another may be handed in. */
export type Fetch = (
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string; redirect: 'error'; signal: AbortSignal },
) => Promise<Response>;

/** What may be waited for and taken in. */
export interface FetchLimits {
  readonly timeoutMilliseconds: number;
  readonly maxBytes: number;
}

interface FetchOrder {
  readonly fetch: Fetch;
  readonly url: string;
  readonly accept: string;
  readonly limits: FetchLimits;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Fetched {
  readonly text: string;
  readonly type: string;
}

/** An answer that is not a 200. */
export class BadStatus extends Error {
  readonly status: number;

  constructor(url: string, status: number) {
    super(`${url} answered ${status}`);
    this.status = status;
  }
}

async function readWithin(response: Response, maxBytes: number): Promise<string> {
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) throw new Error('the answer is too large');
  if (!response.body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Asks the issuer: within a time that covers the body too, no more than so many bytes (after decompression), and never by
 * way of a redirect. @throws Error when the answer is not a 200 of that kind.
 */
export async function fetchText({ fetch, url, accept, limits, form, headers = {} }: FetchOrder): Promise<Fetched> {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error('the issuer did not answer in time')),
    limits.timeoutMilliseconds,
  );
  try {
    const response = await fetch(url, {
      ...(form && { method: 'POST', body: new URLSearchParams({ ...form }).toString() }),
      headers: { accept, ...(form && { 'content-type': 'application/x-www-form-urlencoded' }), ...headers },
      redirect: 'error',
      signal: abort.signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel().catch(() => undefined);
      throw new BadStatus(url, response.status);
    }
    const text = await readWithin(response, limits.maxBytes);
    return { text, type: (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '' };
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

/** Parses an object. @throws Error for anything else. */
export function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not a JSON object');
  return value as Record<string, unknown>;
}
