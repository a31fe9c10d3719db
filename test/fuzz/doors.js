import { createApi, createClient } from '../support/people.js';
import { Stages } from './stages.js';
const encode = encodeURIComponent;
const redirectUri = 'https://app.example/cb';
const requestParameters = (clientId, resource) => [
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
const pageForm = [
    ['csrf', '{csrf}'],
    ['username', 'ada'],
    ['password', encode('not the right one')],
    ['remember', 'on'],
    ['code', '000000'],
    ['account', 'x'],
    ['action', 'continue'],
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
const stages = ['login', 'totp', 'enroll-totp', 'consent'];
function tokenDoors({ web, machine, machineSecret, asWeb, asMachine, resource }) {
    const path = '/oauth2/token';
    const grant = (type, ...rest) => ({
        path,
        query: [],
        form: [['grant_type', encode(type)], ['scope', 'notes:read'], ['resource', encode(resource)], ...rest],
    });
    const opaque = 'x'.repeat(43);
    const assertion = [
        ['client_id', machine],
        ['client_assertion_type', encode('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')],
        ['client_assertion', 'eyJhbGciOiJFUzI1NiJ9.e30.e30'],
    ];
    const redeem = [
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
function pageDoors({ web, asWeb, resource }) {
    const parameters = requestParameters(web, resource);
    const logout = [
        ['id_token_hint', 'e30.e30.e30'],
        ['client_id', web],
        ['post_logout_redirect_uri', encode('https://app.example/')],
        ['state', 's'],
    ];
    const userCode = [
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
export async function doorsOf(running) {
    const resource = await createApi(running);
    const metadata = { redirect_uris: [redirectUri], post_logout_redirect_uris: ['https://app.example/'] };
    const web = await createClient(running, { kind: 'web', metadata, apis: { [resource]: [] } });
    const strict = await createClient(running, { kind: 'web', metadata, requireSecondFactor: true });
    const machine = await createClient(running, { kind: 'machine', apis: { [resource]: ['notes:read'] } });
    const basic = (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
    const names = {
        web: web.client.id,
        machine: machine.client.id,
        machineSecret: machine.secret,
        asWeb: basic(web.client.id, web.secret),
        asMachine: basic(machine.client.id, machine.secret),
        resource,
    };
    const inside = stages.flatMap((stage) => steps.map((step) => ({ path: `{base}${step}`, query: [], form: pageForm, stage })));
    const stranger = { path: `/sign-in/${'x'.repeat(43)}/login`, query: [], form: pageForm };
    return {
        doors: [...tokenDoors(names), ...pageDoors(names), ...inside, stranger],
        stages: await Stages.create(running, web.client, strict.client),
    };
}
