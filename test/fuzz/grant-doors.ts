import * as oidc from 'openid-client';
import { createApi, createClient, createPerson } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import type { RunningApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';
import { type Door, type Fields, redirectUri, requestParameters } from './doors.ts';
import { Stages } from './stages.ts';

type Made = Awaited<ReturnType<typeof createClient>>;

const encode = encodeURIComponent;
const grant = (name: string): string => encode(`urn:ietf:params:oauth:grant-type:${name}`);
const accessToken = encode('urn:ietf:params:oauth:token-type:access_token');
const basic = ({ client, secret }: Made): string => `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}`;

/** A person's access token for an API, as the app that is called with it has it. */
async function tokenFor(running: RunningApp, app: Made, resource: string): Promise<string> {
  const party = await RelyingParty.discover({
    issuer: running.url,
    clientId: app.client.id,
    auth: oidc.ClientSecretBasic(app.secret),
    redirectUri,
  });
  const attempt = await party.request({ scope: 'openid notes:read', resource });
  const web = new WebClient(running.url);
  const { url } = await signIn(web, await web.open(attempt.url), await createPerson(running));
  return (await party.redeem(url, attempt, { resource })).access_token;
}

/** A device that asks for its tokens; nobody has allowed it yet. */
async function deviceForm(running: RunningApp, { client }: Made): Promise<Fields> {
  const answer = await fetch(`${running.url}/oauth2/device`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: client.id, scope: 'openid' }),
  });
  const { device_code: code } = (await answer.json()) as { device_code?: string };
  if (code === undefined) throw new Error(`no device code: ${answer.status}`);
  return [
    ['grant_type', grant('device_code')],
    ['device_code', code],
    ['client_id', client.id],
  ];
}

async function exchangeForm(running: RunningApp, app: Made, from: string, to: string): Promise<Fields> {
  const token = await tokenFor(running, app, from);
  return [
    ['grant_type', grant('token-exchange')],
    ['subject_token', token],
    ['subject_token_type', accessToken],
    ['requested_token_type', accessToken],
    ['resource', encode(to)],
    ['scope', 'notes:read'],
  ];
}

/** Grants from requests that are right, which {@link checkHonest} shows, and what first-party apps and verifiers use. */
export async function grantDoors(running: RunningApp): Promise<{ doors: readonly Door[]; stages: Stages }> {
  const [orders, billing] = [await createApi(running), await createApi(running)];
  const metadata = { redirect_uris: [redirectUri] };
  const app = await createClient(running, { kind: 'web', firstParty: true, metadata, apis: { [orders]: [] } });
  const service = await createClient(running, { kind: 'service', apis: { [orders]: [] } });
  const native = await createClient(running, {
    kind: 'native',
    firstParty: true,
    directSignIn: true,
    metadata: {
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
    },
  });
  await running.app.domains.exchangeRights.allow(
    { clientId: service.client.id, target: billing, mode: 'delegation', scopes: ['notes:read'] },
    { kind: 'operator' },
  );
  const path = '/oauth2/token';
  const exchange = await exchangeForm(running, app, orders, billing);
  const actor: Fields = [
    ['actor_token', 'x'.repeat(43)],
    ['actor_token_type', accessToken],
  ];
  const challenge: Fields = [
    ...requestParameters(native.client.id, orders),
    ['username', 'ada'],
    ['password', encode('not the right one')],
    ['otp', '000000'],
    ['auth_session', 'x'.repeat(43)],
    ['device_token', 'x'.repeat(43)],
  ];
  const doors: Door[] = [
    { path, query: [], form: exchange, authorization: basic(service) },
    { path, query: [], form: [...exchange, ...actor], authorization: basic(service) },
    { path, query: [], form: await deviceForm(running, native) },
    { path: '/oauth2/authorization-challenge', query: [['x', 'x']], form: challenge },
    { path: '/oauth2/status-lists', query: [['limit', '1']] },
    { path: '/oauth2/status-lists/1', query: [['time', '1']] },
    { path: `/oauth2/status-lists/${'x'.repeat(43)}`, query: [['x', 'x']] },
  ];
  await checkHonest(running, doors);
  return { doors, stages: await Stages.create(running, app.client, app.client) };
}

/** What is spoilt afterwards gets far before: a token, and the answer that somebody has to allow it first. */
async function checkHonest({ url }: RunningApp, doors: readonly Door[]): Promise<void> {
  for (const [at, wanted] of [
    [0, /"access_token":/],
    [2, /"authorization_pending"/],
  ] as const) {
    const { path = '', form = [], authorization } = doors[at] ?? {};
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      body: form.map(([name, value]) => `${name}=${value}`).join('&'),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...(authorization && { authorization }) },
    });
    const text = await answer.text();
    if (!wanted.test(text)) throw new Error(`the honest request to ${path} got ${answer.status}: ${text}`);
  }
}
