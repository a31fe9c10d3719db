import { expect } from 'chai';

interface Cookie {
  readonly value: string;
  readonly path: string;
}

export interface Page {
  readonly status: number;
  readonly url: URL;
  readonly headers: Headers;
  readonly text: string;
  /** `data-page` of the body. */
  readonly name: string | undefined;
}

export interface Form {
  readonly action: string;
  readonly fields: Record<string, string>;
}

const decode = (text: string): string =>
  text
    .replace(/&amp;/g, '&')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&#34;|&quot;/g, '"')
    .replace(/&#39;/g, "'");

const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : decode(found);
};

/** The first form of a page that has all the named fields or buttons, with its hidden and filled values. */
export function readForm(html: string, ...names: string[]): Form {
  for (const [, open, inner] of html.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)) {
    if (!names.every((name) => inner?.includes(`name="${name}"`))) continue;
    const fields: Record<string, string> = {};
    for (const [tag] of inner?.matchAll(/<input[^>]*>/g) ?? []) {
      const name = attribute(tag, 'name');
      if (!name || (/type="(checkbox|radio)"/.test(tag) && !/\bchecked\b/.test(tag))) continue;
      fields[name] = attribute(tag, 'value') ?? '';
    }
    return { action: attribute(open ?? '', 'action') ?? '', fields };
  }
  throw new Error(`no form with ${names.join(', ') || 'any field'} on this page:\n${html.slice(0, 3000)}`);
}

/** A browser without JavaScript: keeps cookies by path, follows redirects inside one origin, posts forms. */
export class WebClient {
  readonly origin: string;
  readonly #jar = new Map<string, Cookie>();
  readonly #headers: Record<string, string>;

  constructor(origin: string, headers: Record<string, string> = {}) {
    this.origin = origin;
    this.#headers = headers;
  }

  /** The values of this browser's cookies, by name. */
  cookies(): Map<string, string> {
    return new Map([...this.#jar].map(([key, { value }]) => [key.split('|')[0] ?? '', value]));
  }

  setCookie(name: string, value: string, path = '/'): void {
    this.#jar.set(`${name}|${path}`, { value, path });
  }

  /** One request, no redirect followed. */
  async fetch(target: string | URL, init: RequestInit = {}): Promise<Response> {
    const url = new URL(target, this.origin);
    const cookie = [...this.#jar]
      .filter(
        ([, { path }]) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
      )
      .map(([key, { value }]) => `${key.split('|')[0]}=${value}`)
      .join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        ...this.#headers,
        ...(cookie && { cookie }),
        ...(init.headers as Record<string, string>),
      },
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line, url);
    return response;
  }

  #keep(line: string, url: URL): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const [name = '', ...rest] = pair.split('=');
    const find = (key: string): string | undefined =>
      attributes.find((item) => item.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const path = find('path') ?? url.pathname;
    const expires = find('expires');
    const gone =
      rest.join('=') === '' || find('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now());
    if (gone) this.#jar.delete(`${name}|${path}`);
    else this.#jar.set(`${name}|${path}`, { value: rest.join('='), path });
  }

  /** Follows redirects while they stay on this origin; the page's `url` is where it ended, also off origin. */
  async open(target: string | URL, init: RequestInit = {}): Promise<Page> {
    let url = new URL(target, this.origin);
    let request = init;
    for (let hop = 0; hop < 15; hop += 1) {
      const response = await this.fetch(url, request);
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || !location) {
        const text = await response.text();
        return {
          status: response.status,
          url,
          headers: response.headers,
          text,
          name: /data-page="([^"]+)"/.exec(text)?.[1],
        };
      }
      await response.arrayBuffer();
      url = new URL(location, url);
      request = {};
      if (url.origin !== this.origin)
        return { status: response.status, url, headers: response.headers, text: '', name: undefined };
    }
    throw new Error(`too many redirects, last to ${url.href}`);
  }

  /** Fills in and posts the form of `page` that has these fields. */
  async submit(page: Page, values: Record<string, string>, ...finder: string[]): Promise<Page> {
    const form = readForm(page.text, ...(finder.length > 0 ? finder : Object.keys(values)));
    return this.post(new URL(form.action || page.url.href, page.url), { ...form.fields, ...values });
  }

  post(target: string | URL, fields: Record<string, string>): Promise<Page> {
    return this.open(target, {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  }
}

/** Where the pages of a sign-in lie. Its first page is shown at the address of the app's request. */
export function signInBase({ url, text }: Page): string {
  const [base] = /^\/sign-in\/[\w-]+/.exec(url.pathname) ?? /\/sign-in\/[\w-]{43}/.exec(text) ?? [];
  if (base === undefined) throw new Error(`no sign-in at ${url.href}`);
  return base;
}

/** Says which page was expected when another one came. */
export function expectPage(page: Page, name: string): Page {
  expect(page.name, `page ${page.status} at ${page.url.pathname}\n${page.text.slice(0, 1500)}`).to.equal(name);
  return page;
}
