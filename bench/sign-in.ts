import { createHash, randomBytes } from 'node:crypto';
import type { Agent } from 'node:http';
import { basic, type Reply, send } from './http-client.ts';
import type { BenchPerson, Target } from './target.ts';

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

const decode = (text: string): string => text.replaceAll('&amp;', '&');

/** The hidden fields of the first posting form that has a password, and where it goes. */
function passwordForm(html: string, at: string): { action: string; fields: Record<string, string> } {
  for (const [, attributes = '', inner = ''] of html.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)) {
    if (!inner.includes('name="password"')) continue;
    const action = /\baction="([^"]*)"/.exec(attributes)?.[1];
    const hidden = [...inner.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const fields = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, decode(value)]));
    return { action: action === undefined || action === '' ? at : new URL(decode(action), at).href, fields };
  }
  throw new Error(`no password form at ${at}`);
}

/** A browser for one sign-in: its cookies, by name and path. */
class Cookies {
  readonly #all = new Map<string, { name: string; value: string; path: string }>();

  constructor(first?: string) {
    const [name, value] = first?.split('=') ?? [];
    if (name && value) this.#all.set(`${name} /`, { name, value, path: '/' });
  }

  keep({ headers }: Reply): void {
    for (const line of headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const path = /;\s*path=([^;]+)/i.exec(line)?.[1] ?? '/';
      this.#all.set(`${name} ${path}`, { name, value, path });
    }
  }

  for(url: string): string {
    const { pathname } = new URL(url);
    const sent = [...this.#all.values()].filter(({ value, path }) => value !== '' && pathname.startsWith(path));
    return sent.map(({ name, value }) => `${name}=${value}`).join('; ');
  }
}

/**
 * One person signs in by password, from the app's redirect to its tokens: the pages a browser would fetch, without
 * pictures and styles, then the code exchange. Nobody is signed in yet, and unless `person.browser` says which one it
 * is, the browser is new.
 */
export async function signIn(agent: Agent, target: Target, person: BenchPerson): Promise<Tokens> {
  const { origin, paths, web } = target;
  const cookies = new Cookies(person.browser);
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: web.id,
    redirect_uri: web.redirectUri,
    response_type: 'code',
    scope: 'openid',
    state: verifier.slice(0, 8),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const visit = async (url: string, form?: Record<string, string>): Promise<Reply> => {
    const cookie = cookies.for(url);
    const headers = { accept: 'text/html', 'x-forwarded-for': person.address, ...(cookie && { cookie }) };
    const reply = await send(agent, url, { headers, ...(form && { method: 'POST', form }) });
    cookies.keep(reply);
    return reply;
  };
  let url = `${origin}${paths.authorize}?${query}`;
  let reply = await visit(url);
  for (let hop = 0; hop < 10; hop += 1) {
    const { location } = reply.headers;
    if (location?.startsWith(web.redirectUri)) {
      const code = new URL(location).searchParams.get('code');
      if (!code) throw new Error(`no code but ${location}`);
      return redeem(agent, target, code, verifier);
    }
    if (location) {
      url = new URL(location, url).href;
      reply = await visit(url);
    } else if (reply.status === 200) {
      const { action, fields } = passwordForm(reply.body, url);
      url = action;
      reply = await visit(url, { ...fields, username: person.login, password: person.password, action: 'continue' });
    } else break;
  }
  throw new Error(`the sign-in ended with ${reply.status} at ${url}: ${reply.body.slice(0, 200)}`);
}

async function redeem(agent: Agent, { origin, paths, web }: Target, code: string, verifier: string): Promise<Tokens> {
  const reply = await send(agent, `${origin}${paths.token}`, {
    method: 'POST',
    headers: { authorization: basic(web.id, web.secret) },
    form: { grant_type: 'authorization_code', code, redirect_uri: web.redirectUri, code_verifier: verifier },
  });
  const tokens = JSON.parse(reply.body) as Partial<Tokens>;
  if (!tokens.access_token || !tokens.refresh_token) throw new Error(`no tokens: ${reply.status} ${reply.body}`);
  return tokens as Tokens;
}
