import { expect } from 'chai';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { randomText } from '../../src/shared/ids.ts';
import { createAuthenticator } from '../passkeys/authenticator.ts';
import { DirectClient, type Reply, textOf } from '../support/direct-client.ts';
import { createPerson, enrolTotp } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';

const operator = { kind: 'operator' } as const;
const goodPassword = (): string => `harbour ${randomText(6)} lantern ${randomText(6)}`;

describe('the operations beside a sign-in', () => {
  let server: RunningApp;
  let app: DirectClient;

  before(async () => {
    const port = await freePort();
    server = await startApp({
      PORT: String(port),
      SALLYPORT_ISSUER: `http://localhost:${port}`,
      HOST: 'localhost',
      SALLYPORT_REGISTRATION: 'open',
      SALLYPORT_LIMIT_REGISTRATION: '30',
      SALLYPORT_SESSION_LIMIT: '0',
    });
    app = await DirectClient.register(server);
  });
  after(() => server[Symbol.asyncDispose]());

  /** Anybody, with no client. */
  const post = async (path: string, fields: object): Promise<Reply> => {
    const response = await fetch(`${server.url}/api/v1/auth/${path}`, {
      method: 'POST',
      body: JSON.stringify(fields),
      headers: { 'content-type': 'application/json' },
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text), headers: response.headers };
  };
  const mailsTo = async (email: string) =>
    (await server.app.domains.notifications.list(100)).filter(({ to }) => to === email);
  const tokenIn = async (email: string, template: string): Promise<string> => {
    const mail = (await mailsTo(email)).find((one) => one.template === template);
    return /token=([\w-]+)/.exec(JSON.stringify(mail))?.[1] ?? 'none';
  };
  const newAddress = (): string => `r${randomText(10)}@people.example`;

  it('register, confirm and sign in', async () => {
    const [email, password] = [newAddress(), goodPassword()];
    const made = await post('register', { email, password, name: 'Mara Lindgren' });
    expect([made.status, made.body]).to.deep.equal([202, { status: 'accepted' }]);
    const early = await app.post('login', { username: email, password });
    expect([early.status, early.body.requires_action]).to.deep.equal([200, 'verify_email']);
    const token = await tokenIn(email, 'verify-email');
    expect((await post('email/verify', { token })).status).to.equal(422);
    expect((await post('email/verify', { token, password: 'another one' })).status).to.equal(422);
    expect((await post('email/verify', { token, password })).status).to.equal(204);
    expect((await post('email/verify', { token, password })).status).to.be.oneOf([204, 410]);
    expect((await app.post('login', { username: email, password })).body).to.have.property('access_token');
  });

  it('say the same of an address that is taken, and of one that nobody has', async () => {
    const { account } = await createPerson(server);
    for (const [path, extra] of [
      ['register', { password: goodPassword() }],
      ['email/resend', {}],
    ] as const) {
      const taken = await post(path, { email: account.email, ...extra });
      const free = await post(path, { email: newAddress(), ...extra });
      expect([taken.status, taken.body], path).to.deep.equal([202, { status: 'accepted' }]);
      expect([free.status, free.body], path).to.deep.equal([taken.status, taken.body]);
    }
    const known = await post('password/forgot', { username: account.email });
    const unknown = await post('password/forgot', { username: newAddress() });
    expect([known.status, known.body]).to.deep.equal([unknown.status, unknown.body]);
  });

  it('refuse a password that the policy refuses, and say why', async () => {
    const { status, body } = await post('register', { email: newAddress(), password: 'short' });
    expect(status).to.equal(422);
    expect(body.fields).to.have.property('password').that.is.a('string').and.not.empty;
  });

  it('set a new password with the mailed token, once, and end what there was', async () => {
    const person = await createPerson(server);
    const before = (await app.login(person)).body;
    await post('password/forgot', { username: person.account.email });
    const token = await tokenIn(person.account.email, 'reset-password');
    expect((await post('password/reset', { token, password: 'short' })).status).to.equal(422);
    const password = goodPassword();
    expect((await post('password/reset', { token, password })).status).to.equal(204);
    expect((await post('password/reset', { token, password: goodPassword() })).status).to.equal(410);
    expect((await app.login(person)).status).to.equal(401);
    expect((await app.login({ ...person, password })).status).to.equal(200);
    const refreshed = await app.post('refresh', { refresh_token: textOf(before, 'refresh_token') });
    expect(refreshed.status).to.equal(401);
  });

  it('mail a code for the second step, which is no second factor', async () => {
    await using other = await startApp({ SALLYPORT_EMAIL_STEP: 'no-other-factor' });
    const app = await DirectClient.register(other);
    const person = await createPerson(other);
    const { body } = await app.login(person);
    expect(body).to.deep.include({ requires_2fa: true, methods: ['email'] });
    const challenge_id = textOf(body, 'challenge_id');
    const asked = await app.post('login/2fa/email', { challenge_id });
    expect([asked.status, asked.body]).to.deep.equal([202, { status: 'sent' }]);
    expect((await app.post('login/2fa/email', { challenge_id })).body).to.deep.equal({ status: 'waits' });
    const mails = await other.app.domains.notifications.list(100);
    const mail = mails.find(({ template }) => template === 'sign-in-code');
    const code = /\b(\d{4} ?\d{4})\b/.exec(JSON.stringify(mail))?.[1] ?? 'none';
    const wrong = await app.post('login/2fa', { challenge_id, method: 'email', code: '00000000' });
    expect(wrong.status).to.equal(401);
    const done = await app.post('login/2fa', { challenge_id, method: 'email', code });
    expect(done.status, JSON.stringify([done.body, code])).to.equal(200);
    const claims = JSON.parse(atob(textOf(done.body, 'id_token').split('.')[1] ?? ''));
    expect(claims.acr).to.equal('aal1');
  });

  it('take a passkey at the second door, and none of somebody else', async () => {
    const { passkeys } = server.app.domains;
    const withPasskey = async () => {
      const person = await createPerson(server);
      await enrolTotp(server, person.account.id, person.login);
      const authenticator = createAuthenticator({ origin: server.url });
      const creation = await passkeys.beginRegistration(person.account, 'test');
      await passkeys.finishRegistration(person.account, 'test', authenticator.create(creation), 'Key');
      return { person, authenticator };
    };
    const [mine, other] = [await withPasskey(), await withPasskey()];
    const { body } = await app.login(mine.person);
    expect(body.methods).to.include('passkey');
    const challenge_id = textOf(body, 'challenge_id');
    const optionsOf = async () =>
      (await app.post('login/2fa/passkey', { challenge_id })).body.options as Parameters<
        typeof mine.authenticator.get
      >[0];
    const foreign = { ...other.authenticator.get(await optionsOf()) };
    const refused = await app.post('login/2fa', { challenge_id, method: 'passkey', response: foreign });
    expect(refused.status, JSON.stringify(refused.body)).to.equal(401);
    const response = mine.authenticator.get(await optionsOf());
    const done = await app.post('login/2fa', { challenge_id, method: 'passkey', response });
    expect(done.status, JSON.stringify(done.body)).to.equal(200);
    expect((await app.post('login/2fa', { challenge_id, method: 'passkey', response })).status).to.equal(410);
  });

  it('take clients as they registered, and no others', async () => {
    const person = await createPerson(server);
    await enrolTotp(server, person.account.id, person.login);
    const web = { kind: 'web', metadata: { redirect_uris: ['https://app.example/callback'] } } as const;
    const basic = await DirectClient.register(server, web);
    expect((await basic.login(person)).status).to.equal(200);
    expect((await new DirectClient(basic.url, basic.id, 'wrong').login(person)).status).to.equal(401);
    const byBody = await new DirectClient(basic.url, basic.id).post('login', {
      client_secret: basic.secret,
      username: person.login,
      password: person.password,
    });
    expect(byBody.status).to.equal(401);
    expect((await new DirectClient(basic.url, 'app_nobody').login(person)).status).to.equal(401);
    const plain = await DirectClient.register(server, { directSignIn: false });
    for (const [path, fields] of [
      ['login', { username: person.login, password: person.password }],
      ['login/2fa', { challenge_id: 'x', code: '1' }],
      ['refresh', { refresh_token: 'x' }],
      ['logout', { refresh_token: 'x' }],
    ] as const) {
      expect((await plain.post(path, fields)).status, path).to.equal(403);
    }
  });

  it('take calls of pages from the origins of the client only', async () => {
    const person = await createPerson(server);
    const spa = await DirectClient.register(server, {
      kind: 'spa',
      metadata: { redirect_uris: ['https://app.example/callback'] },
    });
    const fields = { username: person.login, password: person.password };
    const own = await spa.post('login', fields, { origin: 'https://app.example' });
    expect([own.status, own.headers.get('access-control-allow-origin')]).to.deep.equal([200, '*']);
    expect((await spa.post('login', fields, { origin: 'https://evil.example' })).status).to.equal(403);
    expect((await spa.post('login', fields, { origin: 'null' })).status).to.equal(403);
  });

  it('take a client assertion once for each request', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const own = await DirectClient.register(server, {
      kind: 'web',
      metadata: {
        redirect_uris: ['https://app.example/callback'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...((await exportJWK(publicKey)) as { kty: string }), alg: 'ES256', use: 'sig' }] },
      },
    });
    const assertion = () =>
      new SignJWT({ jti: randomText(20) })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer(own.id)
        .setSubject(own.id)
        .setAudience(server.url)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey);
    const person = await createPerson(server);
    const { code } = await enrolTotp(server, person.account.id, person.login);
    const proof = async () => ({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion(),
    });
    const first = await proof();
    const started = await own.login(person, first);
    expect(started.status, JSON.stringify(started.body)).to.equal(200);
    const challenge_id = textOf(started.body, 'challenge_id');
    expect((await own.post('login/2fa', { ...first, challenge_id, code: await code() })).status).to.equal(401);
    const done = await own.post('login/2fa', { ...(await proof()), challenge_id, code: await code() });
    expect(done.status, JSON.stringify(done.body)).to.equal(200);
  });

  it('answer malformed requests with 400 and what is wrong', async () => {
    for (const fields of [
      {},
      { username: 'x' },
      { username: 'x', password: 'y', more: 1 },
      { username: 1, password: 2 },
    ]) {
      const { status, body } = await app.post('login', fields);
      expect(status, JSON.stringify(fields)).to.equal(400);
      expect(body).to.have.property('fields');
    }
    const person = await createPerson(server);
    expect((await post('login', { username: person.login, password: person.password })).status).to.be.within(400, 422);
    expect((await app.post('login/2fa', { challenge_id: 'x', method: 'passkey' })).status).to.equal(410);
  });

  it('marks only first-party clients that people sign in with', async () => {
    const { clients } = server.app.domains;
    for (const input of [
      { kind: 'native', firstParty: false },
      { kind: 'machine', firstParty: true },
    ] as const) {
      const redirects = input.kind === 'native' ? { redirect_uris: ['http://127.0.0.1/callback'] } : {};
      const error = await clients
        .create({ name: 'x', directSignIn: true, ...input, metadata: redirects }, operator)
        .catch((thrown: unknown) => thrown);
      expect(error).to.have.nested.property('details.fields.directSignIn');
    }
    const made = await clients.find(app.id);
    const error = await clients
      .update(made?.id as never, made?.version ?? 0, { firstParty: false }, operator)
      .catch((thrown: unknown) => thrown);
    expect(error).to.have.nested.property('details.fields.directSignIn');
  });
});
