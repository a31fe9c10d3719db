import { request } from 'node:http';

export interface GateAnswer {
  readonly status: number;
  readonly url: URL;
  readonly headers: Headers;
  readonly text: string;
}

interface Init {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** A browser at one app: it asks for pages as browsers do, which `fetch` of Node cannot, and keeps the app's cookies. */
export class GateBrowser {
  readonly origin: string;
  readonly cookies = new Map<string, string>();
  /** What each Set-Cookie said, attributes and all. */
  readonly setCookies: string[] = [];
  readonly #extra: Readonly<Record<string, string>>;
  readonly #address: string;

  /** `extra` goes with every request, which come from `address`, one of this machine. */
  constructor(origin: string, extra: Readonly<Record<string, string>> = {}, address = '127.0.0.1') {
    this.origin = origin;
    this.#extra = extra;
    this.#address = address;
  }

  /** One request, no redirect followed. */
  fetch(target: string | URL, { method = 'GET', headers = {} }: Init = {}): Promise<GateAnswer> {
    const url = new URL(target, this.origin);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = {
      accept: 'text/html',
      'sec-fetch-mode': 'navigate',
      ...(cookie && { cookie }),
      ...this.#extra,
      ...headers,
    };
    return new Promise((resolve, reject) => {
      // The path as it is: an URL object would resolve what a test wants to send.
      const path = typeof target === 'string' && target.startsWith('/') ? target : `${url.pathname}${url.search}`;
      const outgoing = request({
        host: '127.0.0.1',
        localAddress: this.#address,
        port: url.port,
        path,
        method,
        headers: { host: url.host, ...sent },
      });
      outgoing.on('error', reject);
      outgoing.on('response', async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        for (const line of response.headers['set-cookie'] ?? []) this.#keep(line);
        const answer = new Headers();
        for (const [name, values] of Object.entries(response.headersDistinct)) {
          for (const value of values ?? []) answer.append(name, value);
        }
        resolve({ status: response.statusCode ?? 0, url, headers: answer, text: Buffer.concat(chunks).toString() });
      });
      outgoing.end();
    });
  }

  #keep(line: string): void {
    this.setCookies.push(line);
    const [name = '', value = ''] = line.split(';')[0]?.split('=') ?? [];
    if (value === '') this.cookies.delete(name);
    else this.cookies.set(name, value);
  }

  /** Follows redirects on this origin; one that leads off it ends with its address as `url`. */
  async open(target: string | URL, init: Init = {}): Promise<GateAnswer> {
    let url = new URL(target, this.origin);
    for (let hop = 0; hop < 10; hop += 1) {
      const answer = await this.fetch(hop === 0 ? target : url, init);
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status >= 400 || location === null) return answer;
      url = new URL(location, url);
      if (url.origin !== this.origin) return { ...answer, url };
    }
    throw new Error(`too many redirects, last to ${url.href}`);
  }
}
