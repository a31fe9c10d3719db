import { createApi, createClient } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';
import { type StageName, Stages } from './stages.ts';

/** Names and values, the values already percent-encoded. */
export type Fields = readonly (readonly [string, string])[];

/** Something to knock at, with what an honest visitor would bring. */
export interface Door {
  /** `{base}` stands for the URL of an open sign-in. */
  readonly path: string;
  readonly query: Fields;
  /** `{csrf}` stands for the token of the form at that stage, `{password}` for the password of who is there. */
  readonly form?: Fields;
  readonly stage?: StageName;
  readonly authorization?: string;
}

const encode = encodeURIComponent;
export const redirectUri = 'https://app.example/cb';

/** A request of an app for a code. */
export const requestParameters = (clientId: string, resource: string): Fields => [
  ['client_id', clientId],
  ['response_type', 'code'],
  ['redirect_uri', encode(redirectUri)],
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
];

const pageForm: Fields = [
  ['csrf', '{csrf}'],
  ['username', 'ada'],
  ['password', encode('not the right one')],
  ['remember', 'on'],
  ['code', '000000'],
  ['account', 'x'],
  ['action', 'continue'],
];

/** The forms of somebody who is not signed in, with what else they take beside the token of the form. */
const entryForms: Readonly<Record<string, readonly string[]>> = {
  register: ['email', 'new-password'],
  'forgot-password': ['username'],
  'reset-password': ['token', 'new-password'],
  'verify-email': ['token', 'password'],
  'confirm-email': ['token'],
  invitation: ['token'],
  recover: ['token', 'code'],
};

const entryDoors: readonly Door[] = Object.entries(entryForms).map(([name, fields]) => ({
  path: `/account/${name}`,
  query: name === 'recover' || name === 'reset-password' ? [['token', 'x'.repeat(43)]] : [],
  form: [['csrf', '{csrf}'], ...fields.map((field) => [field, 'x'.repeat(43)] as const)],
  stage: 'login',
}));

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

const stages: readonly StageName[] = ['login', 'totp', 'enroll-totp', 'consent'];

interface Names {
  readonly web: string;
  readonly machine: string;
  readonly machineSecret: string;
  readonly asWeb: string;
  readonly asMachine: string;
  readonly resource: string;
}

function tokenDoors({ web, machine, machineSecret, asWeb, asMachine, resource }: Names): Door[] {
  const path = '/oauth2/token';
  const grant = (type: string, ...rest: Fields): Pick<Door, 'path' | 'query' | 'form'> => ({
    path,
    query: [],
    form: [['grant_type', encode(type)], ['scope', 'notes:read'], ['resource', encode(resource)], ...rest],
  });
  const opaque = 'x'.repeat(43);
  const assertion: Fields = [
    ['client_id', machine],
    ['client_assertion_type', encode('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')],
    ['client_assertion', 'eyJhbGciOiJFUzI1NiJ9.e30.e30'],
  ];
  const redeem: Fields = [
    ['code', opaque],
    ['code_verifier', opaque],
    ['redirect_uri', encode(redirectUri)],
  ];
  const jwt = 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.e30';
  return [
    { ...grant('authorization_code', ...redeem), authorization: asWeb },
    { ...grant('authorization_code', ...redeem, ['client_id', web]) },
    { ...grant('refresh_token', ['refresh_token', opaque]), authorization: asWeb },
    { ...grant('client_credentials'), authorization: asMachine },
    grant('client_credentials', ['client_id', machine], ['client_secret', machineSecret]),
    grant('client_credentials', ...assertion),
    {
      path: '/oauth2/userinfo',
      query: [['access_token', 'x']],
      form: [['access_token', opaque]],
      authorization: `Bearer ${opaque}`,
    },
    { path: '/oauth2/userinfo', query: [], authorization: `Bearer ${jwt}` },
    {
      path: '/oauth2/introspect',
      query: [],
      form: [
        ['token', opaque],
        ['token_type_hint', 'access_token'],
      ],
      authorization: asWeb,
    },
    { path: '/oauth2/introspect', query: [], form: [['token', jwt]], authorization: asMachine },
    {
      path: '/oauth2/revoke',
      query: [],
      form: [
        ['token', jwt],
        ['token_type_hint', 'refresh_token'],
      ],
      authorization: asWeb,
    },
    { path: '/oauth2/revoke', query: [], form: [['token', opaque]], authorization: asMachine },
  ];
}

function pageDoors({ web, asWeb, resource }: Names): Door[] {
  const parameters = requestParameters(web, resource);
  const logout: Fields = [
    ['id_token_hint', 'e30.e30.e30'],
    ['client_id', web],
    ['post_logout_redirect_uri', encode('https://app.example/')],
    ['state', 's'],
  ];
  const userCode: Fields = [
    ['user_code', 'ABCD-EFGH'],
    ['xsrf', 'x'],
    ['confirm', 'yes'],
  ];
  return [
    { path: '/', query: [] },
    { path: '/.well-known/openid-configuration', query: [] },
    { path: '/.well-known/oauth-authorization-server', query: [] },
    { path: '/oauth2/jwks', query: [] },
    { path: '/assets/sallyport.css', query: [] },
    { path: '/dev/mail', query: [] },
    { path: '/oauth2/authorize', query: parameters, form: parameters },
    { path: '/oauth2/authorize', query: parameters, form: parameters, stage: 'consent' },
    { path: `/oauth2/authorize/${'x'.repeat(43)}`, query: [], stage: 'login' },
    { path: '/oauth2/par', query: [], form: parameters, authorization: asWeb },
    { path: '/oauth2/device', query: [], form: parameters, authorization: asWeb },
    { path: '/device', query: userCode, form: userCode },
    { path: '/device', query: userCode, form: userCode, stage: 'consent' },
    { path: '/oauth2/logout', query: logout, form: logout },
    { path: '/oauth2/logout', query: logout, form: logout, stage: 'consent' },
    {
      path: '/oauth2/logout/confirm',
      query: [],
      form: [
        ['xsrf', 'x'],
        ['logout', 'yes'],
      ],
      stage: 'consent',
    },
    { path: '/oauth2/logout/success', query: [['client_id', web]] },
  ];
}

/** Every endpoint and page of a running server, and people who are half-way through them. */
export async function doorsOf(
  running: RunningApp,
): Promise<{ readonly doors: readonly Door[]; readonly stages: Stages }> {
  const resource = await createApi(running);
  const metadata = { redirect_uris: [redirectUri], post_logout_redirect_uris: ['https://app.example/'] };
  const web = await createClient(running, { kind: 'web', metadata, apis: { [resource]: [] } });
  const strict = await createClient(running, { kind: 'web', metadata, requireSecondFactor: true });
  const machine = await createClient(running, { kind: 'machine', apis: { [resource]: ['notes:read'] } });
  const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const names: Names = {
    web: web.client.id,
    machine: machine.client.id,
    machineSecret: machine.secret,
    asWeb: basic(web.client.id, web.secret),
    asMachine: basic(machine.client.id, machine.secret),
    resource,
  };
  const inside = stages.flatMap((stage) =>
    steps.map((step): Door => ({ path: `{base}${step}`, query: [], form: pageForm, stage })),
  );
  const stranger: Door = { path: `/sign-in/${'x'.repeat(43)}/login`, query: [], form: pageForm };
  return {
    doors: [...tokenDoors(names), ...pageDoors(names), ...entryDoors, ...inside, stranger],
    stages: await Stages.create(running, web.client, strict.client),
  };
}
