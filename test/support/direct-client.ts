import { createClient } from './people.ts';
import type { RunningApp } from './start-app.ts';

type ClientInput = Partial<Parameters<typeof createClient>[1]>;

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** The text of a field that has to be one. */
export function textOf(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value !== 'string') throw new Error(`there is no text ${name} in ${JSON.stringify(body)}`);
  return value;
}

/** An app of the house that signs people in by itself, as an app would: HTTP and nothing of ours. */
export class DirectClient {
  readonly url: string;
  readonly id: string;
  readonly secret: string;

  constructor(url: string, id: string, secret = '') {
    this.url = url;
    this.id = id;
    this.secret = secret;
  }

  static async register(server: RunningApp, input: ClientInput = {}): Promise<DirectClient> {
    const { client, secret } = await createClient(server, {
      kind: 'native',
      firstParty: true,
      directSignIn: true,
      ...input,
      metadata: { redirect_uris: ['http://127.0.0.1/callback'], ...input.metadata },
    });
    return new DirectClient(server.url, client.id, secret);
  }

  /** Posts JSON below `/api/v1/auth/`. */
  async post(path: string, fields: object, headers: Record<string, string> = {}): Promise<Reply> {
    const identified = this.secret === '' ? { client_id: this.id, ...fields } : fields;
    const response = await fetch(`${this.url}/api/v1/auth/${path}`, {
      method: 'POST',
      body: JSON.stringify(identified),
      headers: { 'content-type': 'application/json', ...this.#authorization(), ...headers },
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text), headers: response.headers };
  }

  /** Posts a form to an endpoint at the root. */
  async form(path: string, fields: Record<string, string>): Promise<Reply> {
    const identified = this.secret === '' ? { client_id: this.id, ...fields } : fields;
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      body: new URLSearchParams(identified),
      headers: this.#authorization(),
    });
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {}, headers: response.headers };
  }

  login(person: { login: string; password: string }, fields: object = {}): Promise<Reply> {
    return this.post('login', { username: person.login, password: person.password, ...fields });
  }

  #authorization(): Record<string, string> {
    return this.secret === '' ? {} : { authorization: `Basic ${btoa(`${this.id}:${this.secret}`)}` };
  }
}
