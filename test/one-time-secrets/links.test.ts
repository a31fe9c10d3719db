import { expect } from 'chai';
import type { Link, LinkPurpose, NewLink } from '../../src/one-time-secrets/index.ts';
import { sha256 } from '../../src/shared/crypto.ts';
import { newAccountId } from '../../src/shared/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { createFixture, fifty } from './fixture.ts';

const email = 'mara@people.example';
const purposes: readonly LinkPurpose[] = [
  'verify-email',
  'change-email',
  'reset-password',
  'recovery',
  'invitation',
  'sign-in',
];

/** Resolves when another session waits for what this transaction holds. */
async function somebodyWaits(database: Database): Promise<void> {
  const waiting = 'select 1 from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))';
  for (;;) {
    const { rows } = (await database.sql.raw(waiting)) as { rows: unknown[] };
    if (rows.length > 0) return;
  }
}

for (const lane of sqlLanes()) {
  describe(`mailed links on ${lane}`, () => {
    let database: Database;

    before(async () => {
      database = await testDatabase(lane);
    });

    const reset = (more: Partial<NewLink> = {}): NewLink => ({
      purpose: 'reset-password',
      accountId: newAccountId(),
      email,
      lifeSeconds: 3600,
      ...more,
    });
    const one = (links: readonly (Link | undefined)[]): Link[] => links.filter((link) => link !== undefined);

    it('give back what was put in, look without using up, and work once', async () => {
      const { links, clock } = createFixture(database);
      const input = reset({ data: { by: 'operator', steps: ['a', 'b'], left: 2, first: true } });
      const { id, token, expiresAt } = await links.create(input);
      const { lifeSeconds: _life, ...kept } = input;
      const link = { ...kept, id, createdAt: clock.now(), expiresAt: clock.now() + 3_600_000 };
      expect(expiresAt).to.equal(link.expiresAt);
      for (let look = 0; look < 3; look += 1) expect(await links.peek('reset-password', token)).to.deep.equal(link);
      expect(await links.use('reset-password', token)).to.deep.equal(link);
      expect(await links.peek('reset-password', token)).to.equal(undefined);
      expect(await links.use('reset-password', token)).to.equal(undefined);
    });

    it('have 256 random bits that the database does not', async () => {
      const { links } = createFixture(database);
      const made = await Promise.all(Array.from({ length: 20 }, () => links.create(reset())));
      const tokens = made.map(({ token }) => token);
      expect(new Set(tokens).size).to.equal(20);
      for (const token of tokens) {
        expect(token).to.match(/^[\w-]{43}$/);
        expect(Buffer.from(token, 'base64url')).to.have.length(32);
      }
      const rows = await database.sql('one_time_link').whereIn(
        'id',
        made.map(({ id }) => id),
      );
      expect(rows).to.have.length(20);
      expect(rows.map((row) => row.token_hash).sort()).to.deep.equal(tokens.map(sha256).sort());
      for (const token of tokens) expect(JSON.stringify(rows)).not.to.include(token);
    });

    it('work for one of 50 at once', async () => {
      const { links } = createFixture(database);
      const { token } = await links.create(reset());
      const got = await fifty(() => links.use('reset-password', token));
      expect(one(got)).to.have.length(1);
    });

    it('work for one of 50 transactions at once, and for the next when that one is undone', async () => {
      const { links } = createFixture(database);
      const input = reset();
      const { token } = await links.create(input);
      let undone = 0;
      const got = await fifty((index) =>
        database
          .transaction(async () => {
            const link = await links.use('reset-password', token);
            if (link && undone < 3) {
              undone += 1;
              throw new Error(`number ${index} failed`);
            }
            return link;
          })
          .catch(() => undefined),
      );
      expect(undone).to.equal(3);
      expect(one(got)).to.have.length(1);
    });

    it('are waited for when two of an account are used at once and each ends the others', async () => {
      const { links } = createFixture(database);
      const accountId = newAccountId();
      const person = { id: accountId, email: `${accountId}@people.example`, email_key: `${accountId}@people.example` };
      const now = new Date();
      await database.sql('account').insert({ ...person, status: 'active', created_at: now, updated_at: now });
      const used: LinkPurpose[] = [];
      const halfWay = Promise.withResolvers<void>();
      const use = async (purpose: LinkPurpose, token: string, meanwhile?: () => Promise<void>) =>
        database.transaction(async () => {
          const link = await links.use(purpose, token);
          if (link) used.push(purpose);
          await meanwhile?.();
          await links.revokeAll(accountId, ['reset-password', 'change-email']);
        });
      const [first, second] = [
        await links.create(reset({ accountId })),
        await links.create(reset({ accountId, purpose: 'change-email' })),
      ];
      const both = [
        use('reset-password', first.token, async () => {
          halfWay.resolve();
          if (lane === 'postgres') await somebodyWaits(database);
        }),
        halfWay.promise.then(() => use('change-email', second.token)),
      ];
      expect((await Promise.allSettled(both)).map(({ status }) => status)).to.deep.equal(['fulfilled', 'fulfilled']);
      expect(used).to.deep.equal(['reset-password']);
    });

    it('are usable again when the request of a unit of work fails', async () => {
      const { links } = createFixture(database);
      const { token } = await links.create(reset());
      const used = await database.unitOfWork(
        Date.now(),
        () => links.use('reset-password', token),
        () => false,
      );
      expect(used?.email).to.equal(email);
      expect((await links.use('reset-password', token))?.email).to.equal(email);
    });

    it('are worth nothing for another purpose, and stay whole', async () => {
      const { links } = createFixture(database);
      for (const purpose of purposes) {
        const { token } = await links.create(reset({ purpose }));
        for (const other of purposes.filter((candidate) => candidate !== purpose)) {
          expect(await links.peek(other, token), `${purpose} as ${other}`).to.equal(undefined);
          expect(await links.use(other, token), `${purpose} as ${other}`).to.equal(undefined);
        }
        expect((await links.use(purpose, token))?.purpose).to.equal(purpose);
      }
    });

    it('end at the second of their expiry', async () => {
      const { links, clock } = createFixture(database);
      const { token } = await links.create(reset({ lifeSeconds: 60 }));
      clock.advance(59);
      expect(await links.peek('reset-password', token)).not.to.equal(undefined);
      clock.advance(1);
      expect(await links.peek('reset-password', token)).to.equal(undefined);
      expect(await links.use('reset-password', token)).to.equal(undefined);
      for (const lifeSeconds of [0, -1, Number.NaN]) {
        const failed = await links.create(reset({ lifeSeconds })).catch((error: unknown) => error);
        expect(failed, String(lifeSeconds)).to.be.instanceOf(RangeError);
      }
    });

    it('replace the older ones of their purpose and account only', async () => {
      const { links } = createFixture(database);
      const [accountId, other] = [newAccountId(), newAccountId()];
      const first = await links.create(reset({ accountId }));
      const kept = await links.create(reset({ accountId, keepOlder: true }));
      expect(await links.peek('reset-password', first.token), 'not asked to replace').not.to.equal(undefined);
      const elsewhere = await links.create(reset({ accountId: other }));
      const verify = await links.create(reset({ accountId, purpose: 'verify-email' }));
      const last = await links.create(reset({ accountId, email: 'new@people.example' }));
      for (const { token } of [first, kept]) expect(await links.peek('reset-password', token)).to.equal(undefined);
      expect(await links.peek('verify-email', verify.token)).not.to.equal(undefined);
      expect(await links.peek('reset-password', elsewhere.token)).not.to.equal(undefined);
      expect((await links.use('reset-password', last.token))?.email).to.equal('new@people.example');
    });

    it('leave one of 50 that replace each other at once, with its own address', async () => {
      const { links } = createFixture(database);
      const accountId = newAccountId();
      const made = await fifty((index) => links.create(reset({ accountId, email: `p${index}@people.example` })));
      const left = await Promise.all(made.map(({ token }) => links.peek('reset-password', token)));
      expect(one(left)).to.have.length(1);
      expect(one(left)[0]?.email).to.equal(`p${left.findIndex((link) => link !== undefined)}@people.example`);
    });

    it('live side by side without an account', async () => {
      const { links } = createFixture(database);
      const { accountId: _none, ...invitation } = reset({ purpose: 'invitation' });
      const made = [await links.create(invitation), await links.create(invitation)];
      for (const { token } of made) {
        const link = await links.use('invitation', token);
        expect(link).to.include({ email }).and.not.have.property('accountId');
      }
    });

    it('end when they are revoked, one by one or those of an account', async () => {
      const { links } = createFixture(database);
      const [accountId, other] = [newAccountId(), newAccountId()];
      const tokens = new Map<LinkPurpose, string>();
      for (const purpose of purposes) tokens.set(purpose, (await links.create(reset({ accountId, purpose }))).token);
      const elsewhere = await links.create(reset({ accountId: other }));
      const usable = async (): Promise<LinkPurpose[]> => {
        const found = await Promise.all([...tokens].map(([purpose, token]) => links.peek(purpose, token)));
        return one(found).map(({ purpose }) => purpose);
      };
      expect(await links.revokeAll(accountId, ['reset-password', 'sign-in'])).to.equal(2);
      expect(await usable()).to.deep.equal(['verify-email', 'change-email', 'recovery', 'invitation']);
      const invited = await links.peek('invitation', tokens.get('invitation') ?? '');
      expect(await links.revoke(invited?.id ?? '')).to.equal(true);
      expect(await links.revoke(invited?.id ?? '')).to.equal(false);
      expect(await links.revokeAll(accountId)).to.equal(3);
      expect(await usable()).to.deep.equal([]);
      expect(await links.revokeAll(accountId)).to.equal(0);
      expect(await links.peek('reset-password', elsewhere.token)).not.to.equal(undefined);
    });

    it('are not found by what is no token', async () => {
      const { links } = createFixture(database);
      const { id, token } = await links.create(reset());
      const bad = [
        '',
        id,
        sha256(token),
        token.slice(0, -1),
        `${token}A`,
        ` ${token}`,
        token.toLowerCase(),
        "' or 1=1",
        '\0',
      ];
      for (const text of bad) expect(await links.use('reset-password', text), JSON.stringify(text)).to.equal(undefined);
      expect(await links.use('reset-password', token)).not.to.equal(undefined);
    });

    it('are deleted when they are over, and not before', async () => {
      const { links, purge, clock } = createFixture(database);
      const old = await links.create(reset({ lifeSeconds: 60 }));
      const fresh = await links.create(reset({ lifeSeconds: 61 }));
      clock.advance(60);
      expect(await purge()).to.be.at.least(1);
      const ids = await database.sql('one_time_link').whereIn('id', [old.id, fresh.id]).pluck('id');
      expect(ids).to.deep.equal([fresh.id]);
    });
  });
}
