import type { Agent } from 'node:http';
import { basic, send } from './http-client.ts';
import { signIn } from './sign-in.ts';
import type { BenchClient, BenchPerson, Target } from './target.ts';

/** One kind of request; `prepare` makes what the requests need and is not measured. */
export interface Lane {
  readonly title: string;
  readonly concurrency: number;
  /** Load before the first measured slice; default: 1. A lane of few requests a second takes longer to be compiled. */
  readonly warmUpSeconds?: number;
  prepare(agent: Agent, target: Target): Promise<(worker: number) => Promise<void>>;
}

interface TokenAnswer {
  readonly access_token?: string;
  readonly refresh_token?: string;
}

async function post(agent: Agent, url: string, client: BenchClient, form: Record<string, string>): Promise<string> {
  const headers = { authorization: basic(client.id, client.secret) };
  const { status, body } = await send(agent, url, { method: 'POST', headers, form });
  if (status !== 200) throw new Error(`${status} ${body.slice(0, 200)}`);
  return body;
}

const tokenOf = (body: string): string => {
  const { access_token } = JSON.parse(body) as TokenAnswer;
  if (!access_token) throw new Error(`no access token in ${body.slice(0, 200)}`);
  return access_token;
};

const machineToken = async (agent: Agent, target: Target, form: Record<string, string>): Promise<string> =>
  tokenOf(
    await post(agent, target.origin + target.paths.token, target.machine, {
      grant_type: 'client_credentials',
      ...form,
    }),
  );

const opaque: Lane = {
  title: 'client_credentials, opaque',
  concurrency: 32,
  prepare: async (agent, target) => async () => {
    if ((await machineToken(agent, target, {})).split('.').length === 3) throw new Error('a JWT was not asked for');
  },
};

const jwt: Lane = {
  title: 'client_credentials, ES256',
  concurrency: 32,
  prepare: async (agent, target) => async () => {
    const token = await machineToken(agent, target, { resource: target.resource, scope: target.scope });
    const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString();
    if (!header.includes('"ES256"')) throw new Error(`not an ES256 token: ${header}`);
  },
};

const introspection: Lane = {
  title: 'introspection, opaque',
  concurrency: 32,
  async prepare(agent, target) {
    const tokens = await Promise.all(Array.from({ length: 64 }, () => machineToken(agent, target, {})));
    return async (worker) => {
      const form = { token: tokens[(worker * 2 + Math.round(Math.random())) % tokens.length] ?? '' };
      const body = await post(agent, target.origin + target.paths.introspect, target.service, form);
      if (!body.includes('"active":true')) throw new Error(`not active: ${body}`);
    };
  },
};

const refresh: Lane = {
  title: 'refresh, with rotation and ID token',
  concurrency: 16,
  async prepare(agent, target) {
    const chains: string[] = [];
    for (let chain = 0; chain < this.concurrency; chain += 1) {
      const person = target.people[chain % target.people.length];
      if (person) chains.push((await signIn(agent, target, person)).refresh_token);
    }
    return async (worker) => {
      const form = { grant_type: 'refresh_token', refresh_token: chains[worker] ?? '' };
      const body = await post(agent, target.origin + target.paths.token, target.web, form);
      const { refresh_token: next } = JSON.parse(body) as TokenAnswer;
      if (!next || next === chains[worker]) throw new Error('the refresh token did not rotate');
      chains[worker] = next;
    };
  },
};

/** Whose turn it is to sign in; it goes on from slice to slice, so that everybody has theirs before anybody's second. */
let turn = 0;

const nextPerson = ({ people }: Target): BenchPerson => {
  const person = people[turn % people.length];
  turn += 1;
  if (!person) throw new Error('nobody is there to sign in');
  return person;
};

const password: Lane = {
  title: 'sign-in by password, to tokens',
  concurrency: 8,
  // It gets faster until its code is compiled to its last form, after about a thousand sign-ins.
  warmUpSeconds: 30,
  prepare: async (agent, target) => async () => {
    await signIn(agent, target, nextPerson(target));
  },
};

const newBrowser: Lane = {
  title: 'the same in a browser never seen before',
  concurrency: 8,
  warmUpSeconds: 2,
  prepare: async (agent, target) => async () => {
    const { browser: _known, ...person } = nextPerson(target);
    await signIn(agent, target, person);
  },
};

/** In the order of the table. */
export const lanes = { opaque, jwt, introspection, refresh, password, newBrowser } satisfies Record<string, Lane>;

export type LaneName = keyof typeof lanes;
