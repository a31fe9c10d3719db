import type { OperationObject } from './openapi-types.ts';

/** Quotes a text for a POSIX shell, but lets `$NAME` through when it is all there is to fill in. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function credentials({ security }: OperationObject): string[] {
  const [first] = security;
  if (!first) return [];
  if ('accessToken' in first) return ['-H "Authorization: Bearer $ACCESS_TOKEN"'];
  return 'clientSecret' in first ? ['-u "$CLIENT_ID:$CLIENT_SECRET"'] : [];
}

function bodyOf({ requestBody }: OperationObject): string[] {
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (type === undefined || media?.example === undefined) return [];
  if (type !== 'application/x-www-form-urlencoded') {
    return [`-H ${quote(`Content-Type: ${type}`)}`, `-d ${quote(JSON.stringify(media.example))}`];
  }
  return Object.entries(media.example as Record<string, string>).map(
    ([name, value]) => `--data-urlencode ${quote(`${name}=${value}`)}`,
  );
}

/** The shell variable for a parameter: `clientId` and `If-Match` are `$CLIENT_ID` and `$IF_MATCH`. */
const variable = (name: string): string =>
  `$${name
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase()}`;

function urlOf(server: string, path: string, { parameters = [] }: OperationObject): string {
  const query = parameters
    .filter((parameter) => parameter.in === 'query' && parameter.required && parameter.example !== undefined)
    .map(({ name, example }) => `${name}=${encodeURIComponent(String(example))}`);
  const url = `${server}${path}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  // Nothing in an address of ours means something to a shell inside of double quotes.
  return path.includes('{') ? `"${url.replaceAll(/\{(\w+)\}/g, (_, name: string) => variable(name))}"` : quote(url);
}

const headersOf = ({ parameters = [] }: OperationObject): string[] =>
  parameters
    .filter((parameter) => parameter.in === 'header' && parameter.required)
    .map(({ name }) => `-H "${name}: ${variable(name)}"`);

/** A command that calls this operation, to be copied into a shell. What is secret comes from variables. */
export function curlFor(server: string, path: string, method: string, operation: OperationObject): string {
  const parts = [
    ...(method === 'get' || operation.requestBody ? [] : [`-X ${method.toUpperCase()}`]),
    ...(operation.requestBody && method !== 'post' ? [`-X ${method.toUpperCase()}`] : []),
    ...credentials(operation),
    ...headersOf(operation),
    ...bodyOf(operation),
  ];
  return [`curl ${urlOf(server, path, operation)}`, ...parts].join(' \\\n  ');
}
