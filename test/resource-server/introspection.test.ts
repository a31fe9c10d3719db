import { expect } from 'chai';
import {
  createResourceServer,
  type IntrospectionOptions,
  type ResourceServer,
} from '../../src/resource-server/index.ts';
import { audience, Issuer, issuer, refusal } from './issuer.ts';

const path = '/introspect';
const asker = { clientId: 'orders api', clientSecret: 'sécret:+' };

describe('resource server: introspection', () => {
  let id: Issuer;
  let answer: Record<string, unknown>;

  const server = (extra: Partial<IntrospectionOptions> = {}): ResourceServer =>
    createResourceServer(id.options({ introspection: { ...asker, ...extra } }));
  const codeOf = async (api: ResourceServer, token = 'at_1'): Promise<string> =>
    (await refusal(api.verify(token))).code;

  beforeEach(async () => {
    id = await Issuer.create();
    answer = {
      active: true,
      iss: issuer,
      aud: audience,
      sub: 'acc_1',
      client_id: 'web',
      scope: 'a b',
      exp: id.seconds + 60,
    };
    id.answers.set(path, () => Response.json(answer));
  });

  it('asks once for all who wait, with its own credentials, and again when the answer is old', async () => {
    const sent: { headers: Record<string, string>; body: string }[] = [];
    const options = id.options({ introspection: asker });
    const { fetch } = options;
    const api = createResourceServer({
      ...options,
      fetch: (url, init) => {
        if (init.body) sent.push({ headers: init.headers ?? {}, body: init.body });
        return fetch?.(url, init) as Promise<Response>;
      },
    });
    const all = await Promise.all(Array.from({ length: 50 }, () => api.verify('at_1&token=x')));
    expect(all[0]?.claims).to.include({ sub: 'acc_1' });
    expect([...(all[0]?.scopes ?? [])]).to.deep.equal(['a', 'b']);
    expect(sent).to.have.length(1);
    expect(sent[0]?.body).to.equal('token=at_1%26token%3Dx');
    const basic = Buffer.from(sent[0]?.headers.authorization?.slice(6) ?? '', 'base64').toString();
    expect(basic).to.equal('orders+api:s%C3%A9cret%3A%2B');
    id.advance(9);
    await api.verify('at_1&token=x');
    expect(sent).to.have.length(1);
    id.advance(2);
    await api.verify('at_1&token=x');
    expect(sent).to.have.length(2);
  });

  it('uses no answer past the end of the token, and remembers a refusal for a shorter time', async () => {
    const api = server();
    answer.exp = id.seconds + 3;
    await api.verify('at_1');
    answer = { active: false };
    id.advance(4);
    expect(await codeOf(api)).to.equal('invalid_token');
    expect(id.count(path)).to.equal(2);
    id.advance(1);
    expect(await codeOf(api)).to.equal('invalid_token');
    expect(id.count(path)).to.equal(2);
    id.advance(2);
    expect(await codeOf(api)).to.equal('invalid_token');
    expect(id.count(path)).to.equal(3);
  });

  it('takes no token that is active but for somebody else, or no access token', async () => {
    for (const extra of [
      { aud: 'https://other.example' },
      { aud: undefined },
      { iss: 'https://evil.example' },
      { exp: id.seconds - 10 },
      { exp: undefined },
      { nbf: id.seconds + 100 },
    ]) {
      id.answers.set(path, () => Response.json({ ...answer, ...extra }));
      expect(await codeOf(server()), JSON.stringify(extra)).to.equal('invalid_token');
    }
  });

  it('does not take an answer for yes that is not one', async () => {
    for (const body of [{}, { active: 'true' }, { active: 1 }, [], null, 'yes']) {
      id.answers.set(path, () => Response.json(body));
      expect(await codeOf(server()), JSON.stringify(body)).to.equal('unavailable');
    }
    id.answers.set(path, () => Response.json({ error: 'invalid_client' }, { status: 401 }));
    expect(await codeOf(server())).to.equal('unavailable');
  });

  it('stops asking when the issuer is down, and finds out by itself when it is back', async () => {
    const api = server({ breakAfter: 3, breakSeconds: 10 });
    id.answers.set(path, () => new Response('', { status: 503 }));
    for (let token = 0; token < 20; token += 1) expect(await codeOf(api, `at_${token}`)).to.equal('unavailable');
    expect(id.count(path)).to.equal(3);
    id.advance(11);
    const all = Array.from({ length: 10 }, (_, index) => codeOf(api, `at_p${index}`));
    expect(new Set(await Promise.all(all))).to.deep.equal(new Set(['unavailable']));
    expect(id.count(path), 'one goes to see').to.equal(4);
    id.answers.set(path, () => Response.json(answer));
    id.advance(11);
    await api.verify('at_1');
    await api.verify('at_2');
    expect(id.count(path)).to.equal(6);
  });

  it('does not stop asking for everybody because of tokens that the issuer cannot read', async () => {
    const api = server({ breakAfter: 2, breakSeconds: 10 });
    id.answers.set(path, () => Response.json({ error: 'unsupported_token_type' }, { status: 400 }));
    for (let token = 0; token < 5; token += 1) expect(await codeOf(api, `e30.e30.${token}`)).to.equal('unavailable');
    id.answers.set(path, () => Response.json(answer));
    await api.verify('at_1');
  });

  it('asks so many questions at once and no more', async () => {
    const api = server({ maxInFlight: 3 });
    const open: (() => void)[] = [];
    id.answers.set(path, () => new Promise((resolve) => open.push(() => resolve(Response.json(answer)))));
    const waiting = ['at_a', 'at_b', 'at_c'].map((token) => api.verify(token));
    expect(await codeOf(api, 'at_d')).to.equal('unavailable');
    const joined = api.verify('at_a');
    while (open.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (const finish of open) finish();
    await Promise.all([...waiting, joined]);
    expect(id.count(path)).to.equal(3);
  });

  it('leaves JWTs to the keys, unless it is to ask always', async () => {
    const token = await id.token();
    await server().verify(token);
    expect(id.count(path)).to.equal(0);
    await server({ always: true }).verify(token);
    expect(id.count(path)).to.equal(1);
    expect(await codeOf(createResourceServer(id.options()))).to.equal('invalid_token');
  });

  it('takes signed answers only from the issuer, for itself, and of that kind (RFC 9701)', async () => {
    const header = { typ: 'token-introspection+jwt' };
    const type = { headers: { 'content-type': 'application/token-introspection+jwt' } };
    const claims = (extra = {}) => ({
      ...{ iss: issuer, aud: asker.clientId, iat: id.seconds, token_introspection: answer },
      ...extra,
    });
    const reply = (jwt: Promise<string>, init: ResponseInit = type): void => {
      id.answers.set(path, async () => new Response(await jwt, init));
    };
    reply(id.sign(claims(), header));
    expect((await server({ signed: true }).verify('at_1')).claims.sub).to.equal('acc_1');
    reply(id.sign(claims({ token_introspection: { active: false } }), header));
    expect(await codeOf(server({ signed: true }))).to.equal('invalid_token');
    for (const jwt of [
      id.sign(claims(), { typ: 'at+jwt' }),
      id.sign(claims({ aud: 'another api' }), header),
      id.sign(claims({ iss: 'https://evil.example' }), header),
      id.sign(claims({ iat: id.seconds - 120 }), header),
      id.sign(claims({ token_introspection: undefined, active: true }), header),
    ]) {
      reply(jwt);
      expect(await codeOf(server({ signed: true }))).to.equal('unavailable');
    }
    id.answers.set(path, () => Response.json(answer));
    expect(await codeOf(server({ signed: true }))).to.equal('unavailable');
  });
});
