import { expect } from 'chai';
import type { AuditEvent } from '../../src/audit/index.ts';
import { ConfigError } from '../../src/config/load.ts';
import type { MailTemplate, MailView } from '../../src/notifications/index.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { GatewayStub } from './gateway-stub.ts';

const chrome = 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

describe('security notices', () => {
  let server: RunningApp;

  before(async () => {
    server = await startApp();
  });
  after(() => server[Symbol.asyncDispose]());

  const mailsTo = async ({ account }: Person, status = 'pending'): Promise<MailView[]> => {
    const mails = await server.app.domains.notifications.list(500);
    return mails.filter((mail) => mail.to === account.email && mail.status === status);
  };

  const record = (person: Person, type: AuditEvent['type'], more: Partial<AuditEvent> = {}): Promise<void> =>
    server.app.domains.audit.record({
      type,
      actor: { kind: 'account', id: person.account.id },
      outcome: 'success',
      subject: person.account.id,
      ip: '203.0.113.7',
      userAgent: chrome,
      ...more,
    });

  const notices: readonly (readonly [AuditEvent['type'], MailTemplate, AuditEvent['details']?, string?])[] = [
    ['second_factor.enrolled', 'second-factor-enrolled'],
    ['second_factor.removed', 'second-factor-removed'],
    ['passkey.added', 'passkey-added', { passkey: 'id', name: 'Mara’s phone' }, 'Passkey: Mara’s phone'],
    ['passkey.removed', 'passkey-removed', { passkey: 'id', name: 'Old key', left: 1 }, 'Passkey: Old key'],
    ['password.changed', 'password-changed', { first: false }],
    ['backup_code.used', 'backup-code-used', { left: 7 }, '7 codes are left'],
    ['backup_codes.created', 'backup-codes-replaced', { replaced: true }],
    ['email.change_requested', 'email-change-requested', {}, 'ends that link'],
    ['device.first_seen', 'new-sign-in', { first: false, app: 'Tidewater' }, 'App: Tidewater'],
    ['recovery_link.used', 'account-recovered'],
    ['risk.detected', 'unusual-activity', { signals: ['impossible-travel'], action: 'notify' }, 'cannot have reached'],
  ];
  for (const [type, template, details, words = 'If it was '] of notices) {
    it(`tell of ${type} with when, where and what to do`, async () => {
      const person = await createPerson(server);
      await record(person, type, details ? { details } : {});
      const [mail, ...others] = await mailsTo(person);
      expect(others).to.deep.equal([]);
      expect(mail?.template).to.equal(template);
      expect(mail?.content?.text).to.include('Browser: Chrome on Windows').and.include('203.0.113.7');
      expect(mail?.content?.text).to.include('CET').and.include(words);
    });
  }

  it('link to the account pages of the issuer', async () => {
    const person = await createPerson(server);
    await record(person, 'passkey.added');
    const [mail] = await mailsTo(person);
    expect(mail?.content?.text).to.include(`Your account: ${server.url}/account\n`);
    expect(mail?.content?.html).to.include(`href="${server.url}/account"`);
  });

  it('come from the real changes: a password replaced, a factor turned on and off', async () => {
    const person = await createPerson(server);
    const { credentials } = server.app.domains;
    expect(await mailsTo(person), 'the first password').to.deep.equal([]);
    await credentials.setPassword(person.account.id, 'another correct horse, longer');
    await enrolTotp(server, person.account.id, person.login);
    await credentials.totp.remove(person.account.id);
    await credentials.totp.remove(person.account.id);
    const templates = (await mailsTo(person)).map(({ template }) => template).sort();
    expect(templates).to.deep.equal(['password-changed', 'second-factor-enrolled', 'second-factor-removed']);
  });

  it('say nothing of the first browser of a new account, of what failed, and of everything else', async () => {
    const person = await createPerson(server);
    await record(person, 'device.first_seen', { details: { first: true } });
    await record(person, 'password.changed', { details: { first: true } });
    await record(person, 'recovery_link.used', { outcome: 'failure' });
    await record(person, 'backup_code.used', { outcome: 'failure' });
    await record(person, 'sign_in.succeeded');
    await record(person, 'email.changed');
    expect(await mailsTo(person)).to.deep.equal([]);
  });

  it('tell of the first browser that an old account is opened in', async () => {
    const person = await createPerson(server);
    const createdAt = new Date(person.account.createdAt - 86_400_000);
    await server.app.database.sql('account').where({ id: person.account.id }).update({ created_at: createdAt });
    const { accounts } = server.app.domains;
    const stored = await accounts.find(person.account.id);
    // Whoever remembers accounts sees it after a change.
    await accounts.update(person.account.id, stored?.version ?? 0, { profile: {} }, { kind: 'operator' });
    await record(person, 'device.first_seen', { details: { first: true } });
    expect((await mailsTo(person)).map(({ template }) => template)).to.deep.equal(['new-sign-in']);
  });

  it('stop at five an hour when 50 come at once, and the log says so once', async () => {
    const person = await createPerson(server);
    const event = { details: { first: false } };
    await Promise.all(Array.from({ length: 50 }, () => record(person, 'device.first_seen', event)));
    expect(await mailsTo(person)).to.have.length(5);
    expect(await mailsTo(person, 'capped')).to.have.length(45);
    const { audit } = server.app.domains;
    const about = { subject: person.account.id, limit: 100 };
    expect(await audit.list({ ...about, type: 'device.first_seen' })).to.have.length(50);
    const [told, ...more] = await audit.list({ ...about, type: 'notice.suppressed' });
    expect(more).to.deep.equal([]);
    expect(told?.details).to.deep.equal({ channel: 'mail', template: 'new-sign-in' });
    await record(person, 'password.changed', event);
    expect((await mailsTo(person)).map(({ template }) => template)).to.include('password-changed');
  });

  it('go nowhere for an address that was never confirmed', async () => {
    const { accounts } = server.app.domains;
    const email = `unverified-${Date.now()}@people.example`;
    const account = await accounts.create({ email, status: 'unverified' }, { kind: 'operator' });
    const person = { account, login: email, password: '' };
    await record(person, 'passkey.added');
    await record(person, 'device.first_seen', { details: { first: false } });
    expect(await mailsTo(person)).to.deep.equal([]);
  });
});

describe('text messages in the app', () => {
  const secret = 'a secret of the gateway, long enough';
  const text = { phoneNumber: '+4915112345678', kind: 'sign-in-code', text: '12345678 is your code' } as const;

  it('reach the gateway that is configured, within seconds', async () => {
    await using stub = await GatewayStub.start();
    const arrived = Promise.withResolvers<string>();
    stub.answer = (response, { body }) => {
      response.end();
      arrived.resolve(body);
    };
    await using server = await startApp({
      SALLYPORT_SMS_WEBHOOK_URL: stub.url,
      SALLYPORT_SMS_WEBHOOK_SECRET: secret,
    });
    const { notifications } = server.app.domains;
    expect(notifications.canText).to.equal(true);
    expect(await notifications.sendText(text)).to.equal('pending');
    expect(JSON.parse(await arrived.promise).data).to.include({ to: text.phoneNumber, text: text.text });
  });

  it('are off in production without a gateway', async () => {
    await using server = await startApp({ NODE_ENV: 'production' });
    const { notifications } = server.app.domains;
    expect(notifications.canText).to.equal(false);
    expect(await notifications.sendText(text)).to.equal('refused');
  });

  it('stop the start when the gateway has no secret, or an address that is not safe', async () => {
    const bad: readonly Record<string, string>[] = [
      { SALLYPORT_SMS_WEBHOOK_URL: 'https://sms.example/' },
      { SALLYPORT_SMS_WEBHOOK_URL: 'https://sms.example/', SALLYPORT_SMS_WEBHOOK_SECRET: 'short' },
      { SALLYPORT_SMS_WEBHOOK_URL: 'http://sms.example/', SALLYPORT_SMS_WEBHOOK_SECRET: secret },
      { SALLYPORT_SMS_WEBHOOK_URL: 'https://user:pw@sms.example/', SALLYPORT_SMS_WEBHOOK_SECRET: secret },
    ];
    for (const env of bad) {
      const failed = await startApp(env).then(
        (server) => server[Symbol.asyncDispose](),
        (error: unknown) => error,
      );
      expect(failed, JSON.stringify(env)).to.be.instanceOf(ConfigError);
      expect((failed as ConfigError).message).to.include('SALLYPORT_SMS_WEBHOOK_');
    }
  });
});
