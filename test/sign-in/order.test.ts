import { expect } from 'chai';
import fc from 'fast-check';
import { AppError } from '../../src/shared/errors.ts';
import type { Step } from '../../src/sign-in/index.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, meta, type Person, password } from './fixture.ts';

type Action =
  | 'password'
  | 'wrong-password'
  | 'empty-password'
  | 'totp'
  | 'old-totp'
  | 'empty-code'
  | 'wrong-code'
  | 'backup-code'
  | 'begin'
  | 'confirm'
  | 'confirm-wrong'
  | 'renew'
  | 'acknowledge'
  | 'restart'
  | 'open'
  | 'view'
  | 'finish'
  | 'wait';

const actions: readonly Action[] = [
  ...[
    'password',
    'password',
    'wrong-password',
    'empty-password',
    'totp',
    'totp',
    'old-totp',
    'empty-code',
    'wrong-code',
  ],
  ...['backup-code', 'begin', 'confirm', 'confirm', 'confirm-wrong', 'renew', 'acknowledge', 'restart', 'open', 'view'],
  ...['finish', 'finish', 'wait', 'wait', 'wait'],
] as Action[];

/** What one flow has seen, as a bystander would note it down. */
interface Witness {
  readonly id: string;
  readonly strict: boolean;
  person?: Person;
  second: boolean;
  acknowledged: boolean;
  finished: boolean;
  pending: string;
}

/** Drives flows in any order and notes what was accepted. */
class Bystander {
  readonly #fixture: Fixture;
  readonly #people: readonly Person[];
  readonly #accepted = new Set<string>();
  readonly #secrets = new Map<Person, string>();

  constructor(fixture: Fixture, people: readonly Person[]) {
    this.#fixture = fixture;
    this.#people = people;
    for (const person of people) this.#secrets.set(person, person.secret);
  }

  async act(witness: Witness, action: Action, choice: number): Promise<void> {
    try {
      await this.#act(witness, action, choice);
    } catch (error) {
      // Refusals by exception are fine; anything else is a defect.
      if (!(error instanceof AppError) || !['expired', 'conflict'].includes(error.code)) throw error;
    }
  }

  /** Does what the pages ask for until the sign-in is over: no state is a dead end. */
  async walkToTheEnd(witness: Witness): Promise<void> {
    const answers: Record<Step, readonly Action[]> = {
      password: ['password'],
      'second-factor': ['totp'],
      'enroll-totp': ['begin', 'confirm'],
      'show-backup-codes': ['acknowledge'],
      'verify-email': [],
      'change-password': [],
      'offer-passkey': [],
      done: ['finish'],
    };
    for (let turn = 0; turn < 12 && !witness.finished; turn += 1) {
      const view = await this.#fixture.signIn.view(witness.id);
      for (const action of view ? answers[view.step] : []) await this.act(witness, action, turn);
      await this.act(witness, 'wait', 2);
    }
    expect(witness.finished, 'the sign-in never came to its end').to.equal(true);
  }

  #forget(witness: Witness, person: Person | undefined): void {
    if (person) witness.person = person;
    else delete witness.person;
    Object.assign(witness, { second: false, acknowledged: true });
  }

  #once(kind: string): void {
    expect(this.#accepted.has(kind), `${kind} was accepted twice`).to.equal(false);
    this.#accepted.add(kind);
  }

  async #act(witness: Witness, action: Action, choice: number): Promise<void> {
    const { signIn, clock, codeOf, wrongCode } = this.#fixture;
    const { id } = witness;
    const someone = this.#people[choice % this.#people.length]!;
    const holder = witness.person ?? someone;
    const secret = { secret: this.#secrets.get(holder) || 'A'.repeat(32) };
    switch (action) {
      case 'password': {
        const result = await signIn.submitPassword(id, { login: someone.login, password }, meta);
        if (result.outcome === 'accepted') this.#forget(witness, someone);
        return;
      }
      case 'wrong-password':
      case 'empty-password': {
        const given = action === 'empty-password' ? '' : 'wrong';
        expect((await signIn.submitPassword(id, { login: someone.login, password: given }, meta)).outcome).to.equal(
          'refused',
        );
        return;
      }
      case 'totp':
      case 'old-totp': {
        const code = codeOf(secret, action === 'totp' ? 0 : -1);
        if ((await signIn.submitTotp(id, code, meta)).outcome !== 'accepted') return;
        this.#once(`${holder.login} ${code}`);
        expect(witness.person, 'a code came before the password').to.equal(holder);
        witness.second = true;
        return;
      }
      case 'empty-code':
        expect((await signIn.submitTotp(id, '', meta)).outcome).to.equal('refused');
        expect((await signIn.submitBackupCode(id, '', meta)).outcome).to.equal('refused');
        expect((await signIn.confirmEnrolment(id, '', meta)).outcome).to.equal('refused');
        return;
      case 'wrong-code':
        expect((await signIn.submitTotp(id, wrongCode(secret), meta)).outcome).to.equal('refused');
        return;
      case 'backup-code': {
        const code = holder.backupCodes[choice % 10] ?? '0000-0000-0000-0000';
        if ((await signIn.submitBackupCode(id, code, meta)).outcome !== 'accepted') return;
        this.#once(code);
        expect(witness.person).to.equal(holder);
        witness.second = true;
        return;
      }
      case 'begin':
        witness.pending = (await signIn.beginEnrolment(id)).secret;
        expect(this.#secrets.get(holder), 'an enrolment began although there is one').to.equal('');
        return;
      case 'confirm':
      case 'confirm-wrong': {
        const pending = { secret: witness.pending || 'A'.repeat(32) };
        const code = action === 'confirm' ? codeOf(pending) : wrongCode(pending);
        const result = await signIn.confirmEnrolment(id, code, meta);
        if (result.outcome !== 'accepted') return;
        expect(action).to.equal('confirm');
        expect(this.#secrets.get(holder), 'an authenticator was replaced').to.equal('');
        this.#secrets.set(holder, pending.secret);
        Object.assign(witness, { second: true, acknowledged: false });
        return;
      }
      case 'renew':
        await signIn.renewBackupCodes(id, meta);
        expect(witness).to.include({ second: true, acknowledged: false });
        return;
      case 'acknowledge':
        await signIn.acknowledgeBackupCodes(id);
        witness.acknowledged = true;
        return;
      case 'restart':
        await signIn.restart(id);
        return this.#forget(witness, undefined);
      case 'open':
        await signIn.open(id, {
          clientId: 'app_test',
          requirement: { secondFactor: false },
        } as Parameters<typeof signIn.open>[1]);
        expect(witness.finished).to.equal(false);
        return;
      case 'view':
        expect((await signIn.view(id)) === undefined).to.equal(witness.finished);
        return;
      case 'wait':
        clock.advance([1, 10, 30][choice % 3]!);
        return;
      case 'finish': {
        const done = await signIn.finish(id);
        expect(witness.finished, 'finished twice').to.equal(false);
        witness.finished = true;
        expect(done.accountId).to.equal(witness.person?.account.id);
        const enrolled = this.#secrets.get(witness.person!) !== '';
        if (enrolled || witness.strict) expect(witness, 'without the second door').to.include({ second: true });
        expect(done.acr).to.equal(witness.second ? 'aal2' : 'aal1');
        expect(witness.acknowledged).to.equal(true);
      }
    }
  }
}

for (const lane of sqlLanes()) {
  describe(`sign-ins in any order on ${lane}`, () => {
    it('never skip, double or replay a step', async function () {
      this.timeout(120_000);
      const moves = fc.array(fc.record({ flow: fc.nat(1), action: fc.constantFrom(...actions), choice: fc.nat(30) }), {
        minLength: 10,
        maxLength: 60,
      });
      await fc.assert(
        fc.asyncProperty(moves, async (steps) => {
          const fixture = await createFixture(lane, { lockoutTries: 100, lockoutSeconds: 1 });
          const people = [await fixture.person({ totp: true }), await fixture.person()];
          const bystander = new Bystander(fixture, people);
          const witnesses: Witness[] = [];
          for (const strict of [false, true]) {
            const id = await fixture.flow({ requirement: { secondFactor: strict } });
            witnesses.push({ id, strict, second: false, acknowledged: true, finished: false, pending: '' });
          }
          for (const { flow, action, choice } of steps) await bystander.act(witnesses[flow]!, action, choice);
          for (const witness of witnesses) await bystander.walkToTheEnd(witness);
        }),
        { numRuns: 40 },
      );
    });
  });
}
