import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { Account } from '../../src/accounts/index.ts';
import { asClientId } from '../../src/shared/ids.ts';
import { type NewSignIn, type Requirement, readEvidence, type SubmitResult } from '../../src/sign-in/index.ts';
import { requirementOf } from '../../src/web/sign-in/context.ts';
import { type Authenticator, createAuthenticator } from '../passkeys/authenticator.ts';
import { createPerson, enrolTotp } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';

const ways = [
  'password',
  'passkey',
  'passkey that did not check the person',
  'mailed code',
  'password in a remembered browser',
  'session with a password',
  'session of a remembered browser',
  'session with both doors',
] as const;
const states = ['nothing', 'app', 'passkey', 'both', 'codes'] as const;
const demands = ['nobody', 'acr_values', 'max_age'] as const;
type Way = (typeof ways)[number];
type State = (typeof states)[number];
type Demand = (typeof demands)[number] | 'the app';

// What comes after the way in: the level of a sign-in that is done, or the step, with what opens the second door.
// Columns: nobody demands anything; two factors, by app or acr_values; max_age. By hand, from issue and standards.
type Row = readonly [string, string, string];
const second = (by: string): Row => [`second ${by}`, `second ${by}`, `second ${by}`];
const afterPassword: Record<State, Row> = {
  nothing: ['aal1', 'enroll-totp', 'aal1'],
  app: second('totp'),
  passkey: second('passkey'),
  both: second('totp passkey'),
  codes: second('backup_code'),
};
const impossible = undefined;
const everywhere = (row: Row): Record<State, Row> => ({ nothing: row, app: row, passkey: row, both: row, codes: row });
const afterMail: Record<State, Row> = {
  // A mailbox is one factor and never makes two with another one: who demands two gets a password first.
  nothing: ['aal1', 'password', 'aal1'],
  app: ['second totp', 'password', 'second totp'],
  passkey: ['second passkey', 'password', 'second passkey'],
  both: ['second totp passkey', 'password', 'second totp passkey'],
  codes: ['second backup_code', 'password', 'second backup_code'],
};
const table: Record<Way, Partial<Record<State, Row | undefined>>> = {
  password: afterPassword,
  passkey: {
    nothing: impossible,
    app: impossible,
    codes: impossible,
    passkey: ['aal2', 'aal2', 'aal2'],
    both: ['aal2', 'aal2', 'aal2'],
  },
  'passkey that did not check the person': {
    passkey: ['password', 'password', 'password'],
    both: ['password', 'password', 'password'],
  },
  'mailed code': afterMail,
  'password in a remembered browser': {
    // It spares only what the account alone wants, and stays one factor.
    nothing: ['aal1', 'enroll-totp', 'aal1'],
    app: ['aal1', 'second totp', 'second totp'],
    passkey: ['aal1', 'second passkey', 'second passkey'],
    both: ['aal1', 'second totp passkey', 'second totp passkey'],
    codes: ['aal1', 'second backup_code', 'second backup_code'],
  },
  'session with a password': {
    nothing: ['aal1', 'enroll-totp', 'password'],
    app: ['second totp', 'second totp', 'password'],
    passkey: ['second passkey', 'second passkey', 'password'],
    both: ['second totp passkey', 'second totp passkey', 'password'],
    codes: ['second backup_code', 'second backup_code', 'password'],
  },
  'session of a remembered browser': {
    nothing: ['aal1', 'enroll-totp', 'password'],
    app: ['aal1', 'second totp', 'password'],
    passkey: ['aal1', 'second passkey', 'password'],
    both: ['aal1', 'second totp passkey', 'password'],
    codes: ['aal1', 'second backup_code', 'password'],
  },
  'session with both doors': { ...everywhere(['aal2', 'aal2', 'password']), nothing: impossible },
};

interface Somebody {
  readonly account: Account;
  readonly login: string;
  readonly password: string;
  readonly key: Authenticator | undefined;
  readonly totp: (() => Promise<string>) | undefined;
  readonly codes: readonly string[];
}

const meta = { ip: '192.0.2.9', userAgent: 'mocha', requestId: 'req_matrix' };
const now = (): number => Math.floor(Date.now() / 1000);

/** The whole server; what stands behind its pages is asked directly, in more combinations than over HTTP. */
class Gate {
  readonly #server: RunningApp;

  constructor(server: RunningApp) {
    this.#server = server;
  }

  get #domains() {
    return this.#server.app.domains;
  }

  async somebody(state: State): Promise<Somebody> {
    const { passkeys, credentials } = this.#domains;
    const person = await createPerson(this.#server);
    const { account } = person;
    const totp =
      state === 'app' || state === 'both' ? await enrolTotp(this.#server, account.id, person.login) : undefined;
    let key: Authenticator | undefined;
    if (state === 'passkey' || state === 'both') {
      key = createAuthenticator({ origin: this.#server.url });
      const options = await passkeys.beginRegistration(account, 'test');
      await passkeys.finishRegistration(account, 'test', key.create(options));
    }
    const codes = state === 'codes' ? await credentials.backupCodes.create(account.id) : [];
    return { ...person, key, codes, totp: totp && (() => totp.code()) };
  }

  async requirement(demand: Demand): Promise<Requirement> {
    const client = { requireSecondFactor: demand === 'the app' };
    const interaction = {
      resources: [],
      demandsSecondFactor: demand === 'acr_values',
      ...(demand === 'max_age' && { freshAfter: now() - 60 }),
    };
    return requirementOf({ apis: this.#domains.apis } as never, { interaction, client } as never);
  }

  /** Comes in by this way and says where that leads. */
  async enter(way: Way, person: Somebody, requirement: Requirement): Promise<{ id: string; result: string }> {
    const id = randomBytes(16).toString('base64url');
    const start = { clientId: asClientId('app_matrix'), requirement, ...this.#session(way, person) };
    const { signIn } = this.#domains;
    const result = await this.#open(way, id, person, start);
    if (result && 'reason' in result) return { id, result: `refused ${result.reason}` };
    const view = result?.view ?? (await signIn.look(id, start));
    if (view.step === 'second-factor') return { id, result: `second ${view.ways?.join(' ')}` };
    return { id, result: view.step === 'done' ? (await signIn.finish(id)).acr : view.step };
  }

  #session(way: Way, { account }: Somebody): Pick<NewSignIn, 'session'> {
    const old = now() - 120;
    if (way === 'session with a password') return { session: readEvidence(account.id, ['pwd'], old) };
    if (way === 'session with both doors') return { session: readEvidence(account.id, ['pwd', 'otp', 'mfa'], old) };
    if (way !== 'session of a remembered browser') return {};
    return { session: readEvidence(account.id, ['pwd', 'remembered_device'], old) };
  }

  async #open(way: Way, id: string, person: Somebody, start: NewSignIn): Promise<SubmitResult | undefined> {
    const { signIn, devices } = this.#domains;
    const { account, login, password } = person;
    if (way === 'password') return signIn.submitPassword(id, { login, password, start }, meta);
    if (way === 'password in a remembered browser') {
      const device = randomBytes(16).toString('base64url');
      const token = await devices.remember(account.id, device, meta);
      const cookies = { id: device, tokenOf: () => token };
      return signIn.submitPassword(id, { login, password, start, device: cookies }, meta);
    }
    if (way === 'passkey' || way === 'passkey that did not check the person') {
      const response = person.key?.get(await signIn.beginPasskey(id, start), { verified: way === 'passkey' });
      return signIn.submitPasskey(id, { response, start }, meta);
    }
    if (way === 'mailed code') return this.#byMail(id, account, start);
    return undefined;
  }

  async #byMail(id: string, account: Account, start: NewSignIn) {
    const { signIn } = this.#domains;
    const pathOf = (token: string): string => `/sign-in/${id}/email?token=${token}`;
    await signIn.mailSignIn(id, { login: account.email, start, pathOf }, meta);
    return signIn.submitMailedCode(id, await this.#mailed(account, /^(\d{8})$/m), {}, meta);
  }

  async #mailed({ email }: Pick<Account, 'email'>, pattern: RegExp): Promise<string> {
    const mails = await this.#domains.notifications.list(200);
    const found = mails.flatMap(({ to, content }) =>
      to === email ? (pattern.exec(content?.text ?? '')?.[1] ?? []) : [],
    );
    return found[0] ?? expect.fail(`no mail to ${email} with ${pattern}`);
  }

  /** Opens the second door in one of its ways, and says what the whole sign-in comes to. */
  async through(id: string, by: string, person: Somebody): Promise<string> {
    const { signIn } = this.#domains;
    const opened =
      by === 'totp'
        ? await signIn.submitTotp(id, (await person.totp?.()) ?? '', meta)
        : by === 'backup_code'
          ? await signIn.submitBackupCode(id, person.codes[0] ?? '', meta)
          : await signIn.submitPasskey(
              id,
              { response: person.key?.get(await signIn.beginPasskey(id), { verified: false }) },
              meta,
            );
    expect(opened.outcome).to.equal('accepted');
    // The last backup code was the last factor: none is left to set up anew here, since there are ten.
    return (await signIn.finish(id)).acr;
  }
}

/** What test/attacks/every-door.test.ts asks of the real pages and endpoints. */
const overHttp: Partial<Record<Way, readonly State[]>> = {
  password: ['nothing', 'app', 'passkey'],
  'passkey that did not check the person': ['passkey', 'both'],
  'mailed code': ['nothing', 'app', 'passkey'],
};

describe('every way to get in enforces the same second factor', function () {
  this.timeout(60_000);
  let server: RunningApp;
  let gate: Gate;
  /** Somebody of each state who never goes through the second door, so that no code of theirs is used up. */
  const standing = new Map<State, Promise<Somebody>>();

  before(async () => {
    const port = await freePort();
    server = await startApp({
      PORT: String(port),
      SALLYPORT_ISSUER: `http://localhost:${port}`,
      SALLYPORT_EMAIL_SIGN_IN: 'code',
      SALLYPORT_REMEMBER_DEVICE_DAYS: '30',
    });
    gate = new Gate(server);
  });
  after(() => server[Symbol.asyncDispose]());

  const one = (state: State): Promise<Somebody> => {
    const known = standing.get(state) ?? gate.somebody(state);
    standing.set(state, known);
    return known;
  };

  for (const way of ways) {
    for (const state of states) {
      const row = table[way][state];
      if (!row) continue;
      for (const [index, demand] of demands.entries()) {
        const expected = row[index] ?? '';
        if (demand === 'nobody' && overHttp[way]?.includes(state)) continue;
        it(`${way}, somebody with ${state}, ${demand} demands: ${expected}`, async () => {
          const [door, ...by] = expected.split(' ');
          // What is new of the last column is where it leads, and a session is a password that was typed before.
          const goesOn = door === 'second' && demand !== 'max_age' && !way.startsWith('session');
          const person = await (goesOn ? gate.somebody(state) : one(state));
          const { id, result } = await gate.enter(way, person, await gate.requirement(demand));
          expect(result).to.equal(expected);
          if (!goesOn) return;
          expect(await gate.through(id, by.at(-1) ?? '', person)).to.equal(way === 'mailed code' ? 'aal1' : 'aal2');
        });
      }
    }
  }

  it('has a row for each combination, or says that it cannot be', () => {
    const cases = ways.flatMap((way) => states.map((state) => table[way][state]));
    expect(cases.filter((row) => row && row.length === 3).length).to.equal(33);
  });

  it('hears the demand of an app and of a request as the same', async () => {
    expect(await gate.requirement('the app')).to.deep.equal(await gate.requirement('acr_values'));
  });
});
