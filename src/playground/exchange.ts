import { AsyncLocalStorage } from 'node:async_hooks';

type Headers_ = readonly (readonly [name: string, value: string])[];

/** One HTTP request of the playground and what came back, as it went over the wire. */
export interface Exchange {
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Headers_;
    readonly body: string;
  };
  readonly response?: {
    readonly status: number;
    readonly reason: string;
    readonly headers: Headers_;
    readonly body: string;
  };
  /** Why there is no response. */
  readonly failure?: string;
  readonly milliseconds: number;
}

interface OutgoingOptions {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

const recording = new AsyncLocalStorage<Exchange[]>();

/** Runs `work` and gathers the requests that {@link recordingFetch} sends meanwhile, also when it throws. */
export async function record<T>(into: Exchange[], work: () => Promise<T>): Promise<T> {
  return recording.run(into, work);
}

const bodyText = (body: unknown): string =>
  typeof body === 'string' || body instanceof URLSearchParams ? body.toString() : '';

/** A `fetch` that keeps what it sent and received for {@link record}. */
export async function recordingFetch(url: string, options: OutgoingOptions): Promise<Response> {
  const exchanges = recording.getStore();
  const started = performance.now();
  const request = {
    method: options.method,
    url,
    headers: Object.entries(options.headers),
    body: bodyText(options.body),
  };
  const milliseconds = (): number => Math.round(performance.now() - started);
  try {
    const response = await fetch(url, options as RequestInit);
    const body = await response.clone().text();
    exchanges?.push({
      request,
      response: { status: response.status, reason: response.statusText, headers: [...response.headers], body },
      milliseconds: milliseconds(),
    });
    return response;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    exchanges?.push({ request, failure: cause || 'no answer', milliseconds: milliseconds() });
    throw error;
  }
}

const telling =
  /^(content-type|cache-control|location|www-authenticate|dpop-nonce|retry-after|ratelimit|x-request-id)/i;

const headerLines = (headers: Headers_): string => headers.map(([name, value]) => `${name}: ${value}`).join('\n');

function prettyBody(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** The request as HTTP/1.1 text. A form body has one parameter per line, which the wire has not. */
export function requestText({ request }: Exchange): string {
  const url = new URL(request.url);
  const head = `${request.method} ${url.pathname}${url.search} HTTP/1.1\nhost: ${url.host}`;
  const headers = request.headers.length > 0 ? `\n${headerLines(request.headers)}` : '';
  return `${head}${headers}${request.body ? `\n\n${request.body.replaceAll('&', '\n&')}` : ''}`;
}

/** The response as HTTP/1.1 text: the headers that matter to a client, and a JSON body indented. */
export function responseText({ response, failure }: Exchange): string {
  if (!response) return `No answer: ${failure}`;
  const shown = response.headers.filter(([name]) => telling.test(name));
  const hidden = response.headers.length - shown.length;
  const more = hidden > 0 ? `\n(and ${hidden} headers more)` : '';
  const body = response.body ? `\n\n${prettyBody(response.body)}` : '';
  return `HTTP/1.1 ${response.status} ${response.reason}\n${headerLines(shown)}${more}${body}`.replace('\n\n(', '\n(');
}
