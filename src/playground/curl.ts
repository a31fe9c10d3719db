import type { Exchange } from './exchange.ts';

const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Headers that curl sends by itself, or that say who the playground is. */
const dull = new Set(['user-agent', 'accept', 'content-type', 'content-length']);

/** What `curl -u` takes. It does not form-encode as RFC 6749 §2.3.1 demands, so only what needs no encoding. */
function basicCredentials(value: string): string | undefined {
  const [scheme, encoded = ''] = value.split(' ');
  const credentials = Buffer.from(encoded, 'base64').toString('utf8');
  return scheme === 'Basic' && /^[\w.-]+:[\w.-]+$/.test(credentials) ? credentials : undefined;
}

/** The same request as a curl command for a POSIX shell. */
export function curlOf({ request }: Exchange): string {
  const lines = [`curl ${shellQuote(request.url)}`];
  for (const [name, value] of request.headers) {
    const credentials = name.toLowerCase() === 'authorization' ? basicCredentials(value) : undefined;
    if (credentials !== undefined) lines.push(`-u ${shellQuote(credentials)}`);
    else if (!dull.has(name.toLowerCase())) lines.push(`-H ${shellQuote(`${name}: ${value}`)}`);
  }
  for (const [name, value] of new URLSearchParams(request.body))
    lines.push(`--data-urlencode ${shellQuote(`${name}=${value}`)}`);
  return lines.join(' \\\n  ');
}

/** A browser address as curl: it shows where the server would send the browser. */
export const curlOfAddress = (url: string): string => `curl -i ${shellQuote(url)}`;
