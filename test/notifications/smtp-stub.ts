import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Header and body as they came over the wire. */
  readonly raw: string;
}

/** How the server behaves; changed between two mails. */
export interface Behaviour {
  /** Answers by command; `GREETING` is the first line, `DOT` the answer to the content. */
  readonly answers?: Partial<Record<'GREETING' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'DOT' | 'AUTH', string>>;
  /** Says nothing any more from here on. */
  readonly silentAt?: 'GREETING' | 'MAIL' | 'DOT';
  /** Cuts the connection in the middle of the content. */
  readonly cutInData?: boolean;
  /** Runs when a whole mail is there, before it is acknowledged. */
  readonly onMail?: (mail: ReceivedMail) => unknown;
  readonly extensions?: readonly string[];
}

const usual: Required<NonNullable<Behaviour['answers']>> = {
  GREETING: '220 stub ESMTP',
  EHLO: '250-stub\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 1000000',
  MAIL: '250 2.1.0 Ok',
  RCPT: '250 2.1.5 Ok',
  DATA: '354 Go on',
  DOT: '250 2.0.0 Ok: queued',
  AUTH: '235 2.7.0 Ok',
};

class Session {
  readonly #socket: Socket;
  readonly #stub: SmtpStub;
  #buffer = '';
  #inData = false;
  #from = '';
  #to: string[] = [];

  constructor(socket: Socket, stub: SmtpStub) {
    this.#socket = socket;
    this.#stub = stub;
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.#buffer += chunk;
      void this.#read();
    });
    this.#answer('GREETING');
  }

  async #read(): Promise<void> {
    if (this.#inData) return this.#readContent();
    for (let end = this.#buffer.indexOf('\r\n'); end >= 0 && !this.#inData; end = this.#buffer.indexOf('\r\n')) {
      const line = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + 2);
      this.#command(line);
    }
    if (this.#inData && this.#buffer !== '') await this.#readContent();
  }

  #command(line: string): void {
    this.#stub.commands.push(line);
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO') this.#answer('EHLO');
    else if (verb === 'AUTH') this.#answer('AUTH');
    else if (verb === 'MAIL') {
      [this.#from, this.#to] = [/<(.*?)>/.exec(line)?.[1] ?? '', []];
      this.#answer('MAIL');
    } else if (verb === 'RCPT') {
      if (this.#answer('RCPT').startsWith('2')) this.#to.push(/<(.*?)>/.exec(line)?.[1] ?? '');
    } else if (verb === 'DATA' && this.#to.length === 0) {
      this.#socket.write('554 5.5.1 No valid recipients\r\n');
    } else if (verb === 'DATA') {
      this.#inData = this.#answer('DATA').startsWith('3');
    } else if (verb === 'QUIT') {
      this.#socket.end('221 2.0.0 Bye\r\n');
    } else this.#socket.write(verb === 'RSET' || verb === 'NOOP' ? '250 Ok\r\n' : '502 5.5.2 What?\r\n');
  }

  async #readContent(): Promise<void> {
    if (this.#stub.behaviour.cutInData) return void this.#socket.destroy();
    const end = this.#buffer.indexOf('\r\n.\r\n');
    if (end < 0) return;
    const mail = { from: this.#from, to: this.#to, raw: this.#buffer.slice(0, end) };
    this.#buffer = this.#buffer.slice(end + 5);
    this.#inData = false;
    await this.#stub.behaviour.onMail?.(mail);
    if (this.#answer('DOT').startsWith('2')) this.#stub.mails.push(mail);
  }

  #answer(step: keyof typeof usual): string {
    const { answers, silentAt, extensions } = this.#stub.behaviour;
    if (silentAt === step) return '';
    const more = step === 'EHLO' ? (extensions ?? []).map((name) => `250-${name}\r\n`).join('') : '';
    const answer = answers?.[step] ?? usual[step].replace('250-stub\r\n', `250-stub\r\n${more}`);
    if (!this.#socket.destroyed) this.#socket.write(`${answer}\r\n`);
    return answer;
  }
}

/** A mail server on loopback that takes mails, or behaves as badly as the test wants. */
export class SmtpStub implements AsyncDisposable {
  readonly mails: ReceivedMail[] = [];
  readonly commands: string[] = [];
  connections = 0;
  behaviour: Behaviour = {};
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    new Session(socket, this);
  });

  static async start(behaviour: Behaviour = {}): Promise<SmtpStub> {
    const stub = new SmtpStub();
    stub.behaviour = behaviour;
    await new Promise<void>((resolve) => stub.#server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
