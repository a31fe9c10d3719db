import { expect } from 'chai';
import { challengeFor } from '../../src/forward-auth/challenge.ts';
import { identityHeaders, isLookalike } from '../../src/forward-auth/identity-headers.ts';
import { judgeToken } from '../../src/forward-auth/judge-token.ts';
import { cookieOf, credentialOf, isNavigation, type OriginalRequest } from '../../src/forward-auth/original-request.ts';
import { returnAddress } from '../../src/forward-auth/protected-app.ts';
import { readRequirement } from '../../src/forward-auth/requirement.ts';

const request = (headers: Readonly<Record<string, readonly string[]>>, method = 'GET'): OriginalRequest => ({
  method,
  host: 'wiki.example.com',
  uri: '/',
  header: (name) => headers[name] ?? [],
  headerNames: Object.keys(headers),
  requestId: 'req_1',
});

const good = {
  active: true,
  token_type: 'Bearer',
  aud: 'https://a/',
  client_id: 'c',
  sub: 'acc_1',
  scope: 'read write',
};
const wanted = readRequirement([['audience', 'https://a/']]);

describe('what a token is worth at a proxy', () => {
  const reasons = (facts: Record<string, unknown>, rule: readonly (readonly [string, string])[] = []) =>
    judgeToken({ ...good, ...facts }, readRequirement([['audience', 'https://a/'], ...rule]), 1000);

  it('is judged by everything that was asked for', () => {
    expect(reasons({})).to.deep.equal([]);
    expect(reasons({ aud: ['https://b/', 'https://a/'] })).to.deep.equal([]);
    expect(reasons({ active: false })).to.deep.equal(['inactive']);
    expect(reasons({ active: 'true' })).to.deep.equal(['inactive']);
    expect(reasons({ token_type: undefined })).to.deep.equal(['not_an_access_token']);
    expect(reasons({ aud: 'https://a' })).to.deep.equal(['wrong_audience']);
    expect(reasons({ aud: undefined })).to.deep.equal(['wrong_audience']);
    expect(reasons({ cnf: { jkt: 'x' } })).to.deep.equal(['bound_to_a_key']);
    const bound = { ...good, cnf: { jkt: 'x' } };
    expect(judgeToken(bound, wanted, 0, { provenKey: 'x' })).to.deep.equal([]);
    expect(judgeToken(bound, wanted, 0, { provenKey: 'y' })).to.deep.equal(['bound_to_a_key']);
    expect(judgeToken({ ...good, cnf: {} }, wanted, 0, { provenKey: 'x' })).to.deep.equal(['bound_to_a_key']);
    expect(reasons({}, [['scopes', 'read write']])).to.deep.equal([]);
    expect(reasons({}, [['scopes', 'read admin']])).to.deep.equal(['insufficient_scope']);
    expect(reasons({ scope: 'reading' }, [['scopes', 'read']])).to.deep.equal(['insufficient_scope']);
    expect(reasons({}, [['permissions', 'p']])).to.deep.equal(['insufficient_permissions']);
    expect(reasons({ permissions: ['p'] }, [['permissions', 'p']])).to.deep.equal([]);
    expect(reasons({ acr: 'aal1' }, [['acr', 'aal2']])).to.deep.equal(['insufficient_authentication']);
    expect(reasons({ acr: 'aal2' }, [['acr', 'aal1']])).to.deep.equal([]);
    expect(reasons({ auth_time: 900 }, [['max_age', '100']])).to.deep.equal([]);
    expect(reasons({ auth_time: 899 }, [['max_age', '100']])).to.deep.equal(['insufficient_authentication']);
    expect(reasons({}, [['max_age', '100']])).to.deep.equal(['insufficient_authentication']);
  });

  it('is challenged in the words of RFC 6750 and RFC 9470', () => {
    const rule = readRequirement([
      ['audience', 'a'],
      ['scopes', 'read,write'],
      ['acr', 'aal2'],
      ['max_age', '60'],
    ]);
    expect(challengeFor(undefined, rule)).to.deep.equal({ status: 401, challenge: 'Bearer' });
    expect(challengeFor('wrong_audience', rule).challenge).to.equal('Bearer error="invalid_token"');
    expect(challengeFor('insufficient_scope', rule)).to.deep.equal({
      status: 403,
      challenge: 'Bearer error="insufficient_scope", scope="read write"',
    });
    expect(challengeFor('insufficient_authentication', rule)).to.deep.equal({
      status: 401,
      challenge: 'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age="60"',
    });
  });

  it('is not asked for by a rule with a mistake in it', () => {
    const rules: (readonly (readonly [string, string])[])[] = [
      [],
      [['scopes', 'a']],
      [['audience', '']],
      [
        ['audience', 'a'],
        ['audience', 'a'],
      ],
      [
        ['audience', 'a'],
        ['scope', 'b'],
      ],
      [
        ['audience', 'a'],
        ['scopes', 'b"c'],
      ],
      [
        ['audience', 'a'],
        ['scopes', 'b\\c'],
      ],
      [
        ['audience', 'a'],
        ['acr', 'AAL2'],
      ],
      [
        ['audience', 'a'],
        ['max_age', '-1'],
      ],
      [
        ['audience', 'a'],
        ['max_age', '5'],
      ],
      [
        ['app', 'x'],
        ['scopes', 'a'],
      ],
      [
        ['app', 'x'],
        ['audience', 'a'],
      ],
    ];
    for (const rule of rules) expect(() => readRequirement(rule), JSON.stringify(rule)).to.throw('not usable');
  });
});

describe('what an app is told', () => {
  it('has no line breaks and no bytes to guess at', () => {
    const headers = identityHeaders({
      user: 'acc_1',
      name: 'Zoë\r\nX-Auth-User: evil \ud800 100%',
      client: 'c',
      scopes: ['a', 'b'],
      requestId: 'r',
    });
    expect(headers['X-Auth-Name']).to.equal('Zo%C3%AB%0D%0AX-Auth-User: evil %EF%BF%BD 100%25');
    expect(headers['X-Auth-Email']).to.equal('');
    expect(headers['X-Auth-Scopes']).to.equal('a b');
  });

  it('cannot be imitated by another spelling', () => {
    for (const name of ['X_Auth_User', 'x-auth_user', 'X.AUTH-USER']) expect(isLookalike(name), name).to.equal(true);
    for (const name of ['x-auth-user', 'X-Auth-Users', 'authorization'])
      expect(isLookalike(name), name).to.equal(false);
  });
});

describe('a request at a proxy', () => {
  it('has one credential or an unclear one', () => {
    const kind = (...authorization: string[]) => credentialOf(request({ authorization })).kind;
    expect(kind()).to.equal('none');
    expect(kind('Bearer abc.def')).to.equal('bearer');
    expect(kind('bEaReR  abc')).to.equal('bearer');
    expect(kind('Basic abc')).to.equal('other');
    expect(kind('Bearer')).to.equal('unclear');
    expect(kind('Bearer a b')).to.equal('unclear');
    expect(kind('Bearer a, Bearer b')).to.equal('unclear');
    expect(kind('Bearer a', 'Bearer b')).to.equal('unclear');
  });

  it('has one cookie of a name', () => {
    expect(cookieOf(request({ cookie: ['a=1; sp=x; b=2'] }), 'sp')).to.equal('x');
    expect(cookieOf(request({ cookie: ['sp=x', 'sp=x'] }), 'sp')).to.equal('x');
    expect(cookieOf(request({ cookie: ['sp=x; sp=y'] }), 'sp')).to.equal(undefined);
    expect(cookieOf(request({ cookie: ['xsp=y'] }), 'sp')).to.equal(undefined);
  });

  it('is a navigation only when a person waits for a page', () => {
    const page = { accept: ['text/html,*/*'] };
    expect(isNavigation(request(page))).to.equal(true);
    expect(isNavigation(request({ ...page, 'sec-fetch-mode': ['navigate'] }))).to.equal(true);
    expect(isNavigation(request(page, 'POST'))).to.equal(false);
    expect(isNavigation(request({}))).to.equal(false);
    expect(isNavigation(request({ ...page, upgrade: ['websocket'] }))).to.equal(false);
    expect(isNavigation(request({ ...page, 'x-requested-with': ['XMLHttpRequest'] }))).to.equal(false);
    expect(isNavigation(request({ ...page, 'sec-fetch-mode': ['cors'] }))).to.equal(false);
  });

  it('goes back to its own origin', () => {
    const origin = 'https://wiki.example.com';
    const home = [
      'https://evil.example/',
      'evil',
      '/a b',
      '/\\evil',
      '/\u00e4',
      '/.sallyport/sign-out',
      '/%2esallyport/x',
      '/x/../.sallyport/y',
      '//.sallyport/',
    ];
    for (const uri of home) expect(returnAddress(origin, uri), uri).to.equal(`${origin}/`);
    const kept = ['/', '/a?b=c', '//evil.example', '/%2e%2e%2fx', '/a%2fb', '/?u=https://evil.example'];
    for (const uri of kept) expect(returnAddress(origin, uri), uri).to.equal(`${origin}${uri}`);
  });
});
