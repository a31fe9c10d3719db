import { Agent, request } from 'node:http';
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose';

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** One node of an installation: where it listens, asked by the host name of the issuer, as a load balancer does. */
export class Node {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;
  readonly #host: string;

  constructor(port: number, issuer: string) {
    this.#port = port;
    this.#host = new URL(issuer).host;
  }

  ask(path: string, form?: Record<string, string>, authorization?: string): Promise<Answer> {
    const body = form && new URLSearchParams(form).toString();
    return new Promise((resolve, reject) => {
      const headers = {
        host: this.#host,
        ...(body && { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length }),
        ...(authorization && { authorization }),
      };
      const method = body ? 'POST' : 'GET';
      const options = { host: '127.0.0.1', port: this.#port, path, method, headers, agent: this.#agent };
      const req = request(options, (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        res.once('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
      });
      req.once('error', reject).end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

interface Cached {
  readonly keys: ReturnType<typeof createLocalJWKSet>;
  readonly kids: readonly (string | undefined)[];
  /** By the clock that only goes forward, in milliseconds. */
  readonly until: number;
}

/** A service that keeps a node's JWKS for exactly its `max-age`, and asks no sooner, whatever `kid` it meets. */
export class CachingVerifier {
  readonly #node: Node;
  readonly #times: number;
  #cached: Promise<Cached> | undefined;
  #until = 0;
  fetches = 0;

  /** `times` its `max-age`: more than once is what a careless service does. */
  constructor(node: Node, times = 1) {
    this.#node = node;
    this.#times = times;
  }

  /** Why the token does not verify; undefined for a good one. */
  async problemOf(token: string): Promise<string | undefined> {
    const { keys, kids } = await this.#jwks();
    try {
      await jwtVerify(token, keys, { typ: 'at+jwt' });
      return undefined;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      // Its key was there and the signature right; it was the test that came late.
      if (error instanceof errors.JWTExpired) return undefined;
      return `${error.code}: ${error.message} Cached: ${kids.join(', ')}.`;
    }
  }

  #jwks(): Promise<Cached> {
    if (performance.now() >= this.#until) {
      this.#until = Number.POSITIVE_INFINITY;
      this.#cached = this.#fetch();
    }
    return this.#cached as Promise<Cached>;
  }

  async #fetch(): Promise<Cached> {
    const { status, headers, text } = await this.#node.ask('/oauth2/jwks');
    const maxAge = /max-age=(\d+)/.exec(String(headers['cache-control']))?.[1];
    if (status !== 200 || maxAge === undefined) throw new Error(`JWKS: ${status} ${headers['cache-control']}`);
    const set = JSON.parse(text) as JSONWebKeySet;
    this.fetches += 1;
    this.#until = performance.now() + Number(maxAge) * 1000 * this.#times;
    return { keys: createLocalJWKSet(set), kids: set.keys.map(({ kid }) => kid), until: this.#until };
  }
}
