import { expect } from 'chai';
import { createApi, createClient, type Person } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';

export type Fields = readonly (readonly [string, string])[];

/** Something to knock at. `cookies` and `fields` are what an honest visitor would send. */
export interface Door {
  readonly path: string;
  readonly query: Fields;
  readonly form?: Fields;
  readonly cookies?: string;
  readonly authorization?: string;
}

const encode = encodeURIComponent;

const requestParameters = (clientId: string, resource: string): Fields => [
  ['client_id', clientId],
  ['response_type', 'code'],
  ['redirect_uri', encode('https://app.example/cb')],
  ['scope', 'openid%20email%20offline_access'],
  ['state', 's'],
  ['nonce', 'n'],
  ['code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'],
  ['code_challenge_method', 'S256'],
  ['prompt', 'login'],
  ['max_age', '10'],
  ['resource', encode(resource)],
  ['acr_values', 'x'],
  ['claims', encode('{"id_token":{"acr":null}}')],
  ['login_hint', 'ada'],
  ['response_mode', 'query'],
  ['request', ''],
];

/** Opens a sign-in as a browser would and returns its cookies and the token of its form. */
async function openSignIn(url: string, parameters: Fields): Promise<{ page: string; cookies: string; csrf: string }> {
  const query = parameters
    .filter(([name]) => name !== 'request')
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const start = await fetch(`${url}/oauth2/authorize?${query}`, { redirect: 'manual' });
  const jar = new Map<string, string>();
  const keep = (answer: Response): void => {
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      jar.set(pair.slice(0, pair.indexOf('=')), pair);
    }
  };
  keep(start);
  const page = new URL(start.headers.get('location') ?? '/', url).pathname;
  const cookies = (): string => [...jar.values()].join('; ');
  const login = await fetch(`${url}${page}/login`, { headers: { cookie: cookies() } });
  keep(login);
  const csrf = /name="csrf" value="([^"]+)"/.exec(await login.text())?.[1] ?? '';
  return { page, cookies: cookies(), csrf };
}

/** Every endpoint and page of a running server, with what an honest visitor would bring. */
export async function doorsOf(running: RunningApp, person: Person): Promise<Door[]> {
  const resource = await createApi(running);
  const metadata = { redirect_uris: ['https://app.example/cb'], post_logout_redirect_uris: ['https://app.example/'] };
  const web = await createClient(running, { kind: 'web', metadata, apis: { [resource]: [] } } as never);
  const machine = await createClient(running, { kind: 'machine', apis: { [resource]: ['notes:read'] } } as never);
  const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const [asWeb, asMachine] = [basic(web.client.id, web.secret), basic(machine.client.id, machine.secret)];
  const parameters = requestParameters(web.client.id, resource);
  const { page, cookies, csrf } = await openSignIn(running.url, parameters);
  expect(csrf, 'the sign-in page opens and carries a form token').to.have.length.above(20);

  const form: Fields = [
    ['csrf', csrf],
    ['username', person.login],
    ['password', encode('not it')],
    ['code', '000000'],
    ['action', 'continue'],
    ['account', 'x'],
  ];
  const token = (grant: string, ...rest: Fields): Fields => [
    ['grant_type', encode(grant)],
    ['scope', 'notes:read'],
    ['resource', encode(resource)],
    ...rest,
  ];
  const steps = [
    '',
    '/login',
    '/second-factor',
    '/backup-code',
    '/enroll',
    '/backup-codes',
    '/select-account',
    '/consent',
    '/cancel',
  ];
  return [
    { path: '/', query: [] },
    { path: '/.well-known/openid-configuration', query: [] },
    { path: '/.well-known/oauth-authorization-server', query: [] },
    { path: '/oauth2/jwks', query: [] },
    { path: '/oauth2/authorize', query: parameters, form: parameters, cookies },
    { path: `/oauth2/authorize/${page.split('/')[2]}`, query: [], cookies },
    {
      path: '/oauth2/token',
      query: [],
      form: token(
        'authorization_code',
        ['code', 'x'],
        ['code_verifier', 'v'.repeat(43)],
        ['redirect_uri', encode('https://app.example/cb')],
      ),
      authorization: asWeb,
    },
    {
      path: '/oauth2/token',
      query: [],
      form: token('refresh_token', ['refresh_token', 'x'.repeat(43)]),
      authorization: asWeb,
    },
    { path: '/oauth2/token', query: [], form: token('client_credentials'), authorization: asMachine },
    {
      path: '/oauth2/token',
      query: [],
      form: token('client_credentials', ['client_id', machine.client.id], ['client_secret', machine.secret]),
    },
    {
      path: '/oauth2/token',
      query: [],
      form: token(
        'client_credentials',
        ['client_id', machine.client.id],
        ['client_assertion_type', encode('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')],
        ['client_assertion', 'e30.e30.e30'],
      ),
    },
    {
      path: '/oauth2/userinfo',
      query: [['access_token', 'x']],
      form: [['access_token', 'x'.repeat(43)]],
      authorization: `Bearer ${'x'.repeat(43)}`,
    },
    {
      path: '/oauth2/introspect',
      query: [],
      form: [
        ['token', 'x'.repeat(43)],
        ['token_type_hint', 'access_token'],
      ],
      authorization: asWeb,
    },
    {
      path: '/oauth2/revoke',
      query: [],
      form: [
        ['token', 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.e30'],
        ['token_type_hint', 'refresh_token'],
      ],
      authorization: asWeb,
    },
    {
      path: '/oauth2/logout',
      query: [
        ['id_token_hint', 'e30.e30.e30'],
        ['client_id', web.client.id],
        ['post_logout_redirect_uri', encode('https://app.example/')],
        ['state', 's'],
      ],
      form: [['id_token_hint', 'x']],
      cookies,
    },
    {
      path: '/oauth2/logout/confirm',
      query: [],
      form: [
        ['xsrf', 'x'],
        ['logout', 'yes'],
      ],
      cookies,
    },
    { path: '/oauth2/logout/success', query: [['client_id', web.client.id]] },
    { path: '/oauth2/par', query: [], form: parameters, authorization: asWeb },
    { path: '/oauth2/device', query: [], form: parameters, authorization: asWeb },
    {
      path: '/device',
      query: [['user_code', 'ABCD-EFGH']],
      form: [
        ['user_code', 'ABCD-EFGH'],
        ['xsrf', 'x'],
        ['confirm', 'yes'],
      ],
      cookies,
    },
    { path: '/assets/sallyport.css', query: [] },
    { path: '/dev/mail', query: [] },
    ...steps.map((step) => ({ path: `${page}${step}`, query: [], form, cookies })),
    ...steps.map((step) => ({ path: `/sign-in/${'x'.repeat(21)}${step}`, query: [], form })),
  ];
}
