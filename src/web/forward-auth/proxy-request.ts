import type { IncomingMessage } from 'node:http';
import type { OriginalRequest } from '../../forward-auth/index.ts';
import { AppError } from '../../shared/errors.ts';

/** Every header of a request, repeated ones apart, by lower-case name. Node's own view joins or drops them. */
function headersOf({ rawHeaders }: IncomingMessage): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = String(rawHeaders[index]).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), String(rawHeaders[index + 1])]);
  }
  return headers;
}

const token = /^[A-Z]{1,20}$/;
const host = /^[a-z0-9.[\]:-]{1,255}$/i;
const uri = /^\/[\x21-\x7e]*$/;

function forwarded(headers: Map<string, string[]>, name: string, shape: RegExp): string {
  const values = headers.get(name) ?? [];
  const [value = ''] = values;
  // Two of them mean that one is not the proxy's.
  if (values.length !== 1 || !shape.test(value)) {
    throw new AppError('forbidden', `The proxy has to send one ${name} header, its own.`);
  }
  return value;
}

/**
 * The request that waits at the proxy, as the proxy describes it. Only for requests whose peer is a trusted proxy. What a
 * token decides needs no description, so `described` says whether one has to be there.
 * @throws AppError `forbidden` when it is missing or not to be understood.
 */
export function readProxyRequest(
  req: IncomingMessage,
  { described, ip, requestId }: { readonly described: boolean; readonly ip: string; readonly requestId: string },
): OriginalRequest {
  const headers = headersOf(req);
  return {
    method: described ? forwarded(headers, 'x-forwarded-method', token) : 'GET',
    host: described ? forwarded(headers, 'x-forwarded-host', host) : '',
    uri: described ? forwarded(headers, 'x-forwarded-uri', uri) : '/',
    header: (name) => headers.get(name) ?? [],
    headerNames: [...headers.keys()],
    ip,
    requestId,
  };
}
