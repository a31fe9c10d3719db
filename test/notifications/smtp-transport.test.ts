import { expect } from 'chai';
import {
  createSmtpTransport,
  DeliveryFailure,
  type MailMessage,
  type MailTransport,
  readSmtpUrl,
} from '../../src/notifications/index.ts';
import type { SmtpTimeouts } from '../../src/notifications/smtp-transport.ts';
import { testDatabase } from '../support/database.ts';
import { createFixture, emptyOutbox, newAddress, occasion } from './fixture.ts';
import { type Behaviour, SmtpStub } from './smtp-stub.ts';

const quick: SmtpTimeouts = { connection: 300, greeting: 300, socket: 300 };
const message: MailMessage = {
  messageId: 'mail_1@fernhill.example',
  from: { name: 'Sallyport', address: 'no-reply@fernhill.example' },
  to: 'mara@people.example',
  date: occasion.at,
  subject: 'Your password was changed',
  text: 'Hello\n.\nthat dot ends nothing\n',
  html: '<p>Hello</p>',
};
const never = new AbortController().signal;

/** What becomes of a mail, in a word. */
async function fateOf(transport: MailTransport, mail: MailMessage = message): Promise<string> {
  try {
    await transport.send(mail, never);
    return 'sent';
  } catch (error) {
    if (!(error instanceof DeliveryFailure)) throw error;
    return error.kind;
  }
}

const headerOf = (raw: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(raw)?.[1];

describe('SMTP', () => {
  const onStub = async (
    behaviour: Behaviour,
    work: (stub: SmtpStub, transport: MailTransport) => Promise<void>,
  ): Promise<void> => {
    await using stub = await SmtpStub.start(behaviour);
    await work(stub, createSmtpTransport({ host: '127.0.0.1', port: stub.port, tls: 'none' }, quick));
  };

  it('hands over a mail with both its parts, to one address, under its id', () =>
    onStub({}, async (stub, transport) => {
      expect(await fateOf(transport)).to.equal('sent');
      const [mail] = stub.mails;
      expect(mail).to.deep.include({ from: 'no-reply@fernhill.example', to: ['mara@people.example'] });
      const raw = mail?.raw ?? '';
      expect(headerOf(raw, 'Message-ID')).to.equal('<mail_1@fernhill.example>');
      expect(headerOf(raw, 'From')).to.equal('Sallyport <no-reply@fernhill.example>');
      expect(headerOf(raw, 'To')).to.equal('mara@people.example');
      expect(headerOf(raw, 'Subject')).to.equal('Your password was changed');
      expect(headerOf(raw, 'Date')).to.equal('Sat, 21 Nov 2026 08:42:10 +0000');
      expect(headerOf(raw, 'Auto-Submitted')).to.equal('auto-generated');
      expect(raw).to.match(/Content-Type: text\/plain[\s\S]*that dot ends nothing[\s\S]*Content-Type: text\/html/);
    }));

  const fates: readonly (readonly [string, string, Behaviour])[] = [
    ['no such mailbox', 'refused', { answers: { RCPT: '550 5.1.1 No such person' } }],
    ['content refused', 'refused', { answers: { DOT: '554 5.7.1 Looks like spam' } }],
    ['greylisting', 'later', { answers: { RCPT: '451 4.7.1 Come back later' } }],
    ['mailbox full for now', 'later', { answers: { DOT: '452 4.2.2 Over quota' } }],
    ['content not wanted now', 'later', { answers: { DATA: '451 4.3.0 Not now' } }],
    ['server going down', 'away', { answers: { RCPT: '421 4.3.2 Shutting down' } }],
    ['server refuses to serve', 'away', { answers: { GREETING: '554 No service' } }],
    ['sender not allowed', 'away', { answers: { MAIL: '550 5.7.1 Not from here' } }],
    ['no greeting', 'away', { silentAt: 'GREETING' }],
    ['silence after MAIL', 'away', { silentAt: 'MAIL' }],
    ['silence after the content', 'away', { silentAt: 'DOT' }],
    ['cut in the content', 'away', { cutInData: true }],
    ['nonsense', 'away', { answers: { GREETING: 'HTTP/1.1 200 OK' } }],
    [
      'refused with pipelining',
      'refused',
      { extensions: ['PIPELINING'], answers: { RCPT: '550 5.1.1 No such person' } },
    ],
  ];
  for (const [name, fate, behaviour] of fates) {
    it(`${name}: ${fate}`, () =>
      onStub(behaviour, async (stub, transport) => {
        const start = performance.now();
        expect(await fateOf(transport)).to.equal(fate);
        expect(performance.now() - start, 'milliseconds').to.be.below(8_000);
        stub.behaviour = {};
        expect(await fateOf(transport), 'the next mail').to.equal('sent');
      }));
  }

  it('nobody there: away', async () => {
    const stub = await SmtpStub.start();
    const { port } = stub;
    await stub[Symbol.asyncDispose]();
    expect(await fateOf(createSmtpTransport({ host: '127.0.0.1', port, tls: 'none' }, quick))).to.equal('away');
    expect(await fateOf(createSmtpTransport({ host: 'mail.invalid', port, tls: 'none' }, quick))).to.equal('away');
  });

  it('ends a try that takes too long when it is told to', () =>
    onStub({ silentAt: 'DOT' }, async (stub) => {
      const transport = createSmtpTransport({ host: '127.0.0.1', port: stub.port, tls: 'none' });
      const start = performance.now();
      const sent = transport.send(message, AbortSignal.timeout(200));
      const error: unknown = await sent.catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(DeliveryFailure).and.have.property('kind', 'away');
      expect(performance.now() - start).to.be.below(8_000);
    }));

  it('says neither name nor password nor mail to a server elsewhere without TLS', () =>
    onStub({ extensions: ['AUTH PLAIN LOGIN'] }, async (stub) => {
      const server = { ...readSmtpUrl(`smtp://mara:s3cret@relay.example:${stub.port}`), host: '127.0.0.1' };
      expect(await fateOf(createSmtpTransport(server, quick))).to.equal('away');
      expect(stub.mails).to.deep.equal([]);
      expect(stub.commands.filter((line) => !/^(?:EHLO|STARTTLS|QUIT|RSET)/.test(line))).to.deep.equal([]);
    }));

  it('never goes on in the clear when the server speaks no TLS after all', () =>
    onStub({}, async (stub) => {
      const server = { host: '127.0.0.1', port: stub.port, tls: 'implicit' } as const;
      expect(await fateOf(createSmtpTransport(server, quick))).to.equal('away');
      expect(stub.mails).to.deep.equal([]);
    }));

  it('signs in where it is told to, and takes a refusal for a server that is away', () =>
    onStub({ extensions: ['AUTH PLAIN'] }, async (stub) => {
      const transport = createSmtpTransport(readSmtpUrl(`smtp://mara:s%40cret@127.0.0.1:${stub.port}`), quick);
      expect(await fateOf(transport)).to.equal('sent');
      await transport.verify();
      const credentials = Buffer.from('\0mara\0s@cret').toString('base64');
      expect(stub.commands.filter((line) => line === `AUTH PLAIN ${credentials}`)).to.have.length(2);
      stub.behaviour = { ...stub.behaviour, answers: { AUTH: '535 5.7.8 Wrong' } };
      expect(await fateOf(transport)).to.equal('away');
      const refused: unknown = await transport.verify().catch((reason: unknown) => reason);
      expect(refused).to.be.instanceOf(DeliveryFailure);
    }));

  it('lets nothing in a mail become a header or a command', () =>
    onStub({}, async (stub, transport) => {
      const crlf = 'x\r\nBcc: all@people.example\r\n\r\n.\r\nMAIL FROM:<evil@people.example>\r\n';
      expect(await fateOf(transport, { ...message, subject: crlf, text: crlf, html: crlf })).to.equal('sent');
      expect(await fateOf(transport, { ...message, from: { ...message.from, name: crlf } })).to.equal('sent');
      expect(await fateOf(transport, { ...message, messageId: crlf })).to.equal('sent');
      expect(await fateOf(transport, { ...message, to: crlf })).to.equal('refused');
      expect(await fateOf(transport, { ...message, from: { address: crlf } })).to.equal('refused');
      expect(stub.mails).to.have.length(3);
      for (const { from, to, raw } of stub.mails) {
        expect([from, to]).to.deep.equal(['no-reply@fernhill.example', ['mara@people.example']]);
        const headers = raw.slice(0, raw.indexOf('\r\n\r\n'));
        expect(headers).not.to.match(/^Bcc:/im);
      }
      expect(stub.commands.filter((line) => /evil/.test(line))).to.deep.equal([]);
    }));

  describe('its address', () => {
    it('tells TLS by the scheme and the place', () => {
      expect(readSmtpUrl('smtps://relay.example')).to.deep.equal({ host: 'relay.example', port: 465, tls: 'implicit' });
      expect(readSmtpUrl('smtp://relay.example/')).to.deep.equal({ host: 'relay.example', port: 587, tls: 'starttls' });
      for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.8.8.8', '[::1]']) {
        expect(readSmtpUrl(`smtp://${host}:1025`).tls, host).to.equal('none');
      }
      expect(readSmtpUrl('smtp://[::1]:25').host).to.equal('::1');
      for (const host of ['127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1', '[::2]', '0.0.0.0']) {
        expect(readSmtpUrl(`smtp://${host}:25`).tls, host).to.equal('starttls');
      }
    });

    it('takes no options, because some of them turn checks off', () => {
      for (const url of [
        'smtp://relay.example/?requireTLS=false',
        'smtps://relay.example/?tls.rejectUnauthorized=false',
        'smtp://relay.example/path',
        'smtp://relay.example/#x',
        'http://relay.example',
        'smtp://',
      ]) {
        expect(() => readSmtpUrl(url), url).to.throw();
      }
    });
  });

  it('brings every mail of an outbox over, through a server that fails each way once', async () => {
    const database = await testDatabase();
    await emptyOutbox(database);
    await using stub = await SmtpStub.start();
    const transport = createSmtpTransport({ host: '127.0.0.1', port: stub.port, tls: 'none' }, quick);
    const { notifications, clock } = createFixture(database, { transport });
    const people = Array.from({ length: 6 }, newAddress);
    for (const to of people) await notifications.send({ to, template: 'password-changed', data: occasion });
    const temporary = fates.filter(([, fate]) => fate !== 'refused').map(([, , behaviour]) => behaviour);
    for (const behaviour of temporary) {
      stub.behaviour = behaviour;
      await notifications.deliver();
      clock.advance(7_200);
    }
    expect(stub.mails).to.deep.equal([]);
    stub.behaviour = {};
    await notifications.deliver();
    expect(stub.mails.flatMap(({ to }) => to).sort()).to.deep.equal(people.sort());
    await emptyOutbox(database);
  });
});
