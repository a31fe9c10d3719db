import { expect } from 'chai';
import { checkMail } from '../../src/cli/doctor-mail.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { parseMailbox } from '../../src/notifications/index.ts';
import { SmtpStub } from './smtp-stub.ts';

const configOf = (env: Record<string, string>): Config =>
  loadConfig({
    SALLYPORT_SECRETS: 'test-secret-test-secret-test-secret-test',
    SALLYPORT_ISSUER: 'https://id.fernhill.example',
    ...env,
  });

describe('mail in doctor and configuration', () => {
  it('warns about a missing mail server in production only', async () => {
    expect(await checkMail(configOf({ NODE_ENV: 'production' }))).to.deep.include({ name: 'mail', status: 'warn' });
    expect(await checkMail(configOf({}))).to.deep.include({ status: 'ok' });
  });

  it('asks the mail server, and tells no password', async () => {
    await using stub = await SmtpStub.start({ extensions: ['AUTH PLAIN'] });
    const config = configOf({ SALLYPORT_SMTP_URL: `smtp://mara:s3cret@127.0.0.1:${stub.port}` });
    const good = await checkMail(config);
    expect(good).to.deep.include({ status: 'ok', detail: `127.0.0.1:${stub.port} answers` });
    stub.behaviour = { ...stub.behaviour, answers: { AUTH: '535 5.7.8 Wrong' } };
    const bad = await checkMail(config);
    expect(bad.status).to.equal('fail');
    expect(JSON.stringify([good, bad])).not.to.include('s3cret');
    expect(stub.mails).to.deep.equal([]);
  });

  it('refuses addresses that could not be mailed with, and says how to mend them', () => {
    const bad = [
      { SALLYPORT_SMTP_URL: 'relay.example:587' },
      { SALLYPORT_SMTP_URL: 'http://relay.example' },
      { SALLYPORT_SMTP_URL: 'smtp://relay.example/?requireTLS=false' },
      { SALLYPORT_SMTP_URL: 'smtp://relay.example/path' },
      { SALLYPORT_MAIL_FROM: 'nobody' },
      { SALLYPORT_MAIL_FROM: 'A <a@b.example>, C <c@d.example>' },
      { SALLYPORT_MAIL_FROM: 'A\r\nBcc: x@y.example <a@b.example>' },
    ];
    for (const env of bad) expect(() => configOf(env), JSON.stringify(env)).to.throw(`${Object.keys(env)[0]}: Give `);
    const good = ['no-reply@example.com', 'Fernhill <no-reply@example.com>', 'Ferne Hügel & Co. <x@id.example>'];
    for (const from of good) {
      expect(configOf({ SALLYPORT_MAIL_FROM: from }).SALLYPORT_MAIL_FROM, from).to.equal(from);
      expect(parseMailbox(from)?.address, from).to.match(/@/);
    }
    for (const url of ['smtp://localhost:1025', 'smtps://u:p%40@relay.example', 'smtp://[::1]:25/']) {
      expect(configOf({ SALLYPORT_SMTP_URL: url }).SALLYPORT_SMTP_URL, url).to.equal(url);
    }
  });
});
