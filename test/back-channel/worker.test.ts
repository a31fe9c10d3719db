import { expect } from 'chai';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture } from './fixture.ts';

const operator = { kind: 'operator' } as const;
const address = 'https://notes.example/logout';

for (const lane of sqlLanes()) {
  describe(`apps that a worker tells of a logout, on ${lane}`, () => {
    let parts: Fixture;

    // What is left would be due for the next one.
    afterEach(() => parts.database.sql('logout_delivery').delete());

    it('are told at once where the session ended, and soon by a worker that only looks', async () => {
      const waiting = async (wanted: number): Promise<void> => {
        while (parts.sent.length < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
      };
      const lazy = await createFixture(lane, { poll: 3600 });
      lazy.answerWith(async () => ({ status: 200 }));
      parts = lazy;
      const owner = await lazy.account();
      const listening = await lazy.app(address);
      lazy.sessions.onEnd(async () => lazy.backChannel.hurry());
      await using _worker = lazy.backChannel.start();
      const { id } = await lazy.signIn(owner, [listening]);
      await lazy.sessions.end(id, operator);
      await waiting(1);
    });

    it('are told, and the process can end, although an answer never comes and no limit is heeded', async () => {
      parts = await createFixture(lane, { poll: 3600 });
      const [stuck, good] = [await parts.app('https://stuck.example/logout'), await parts.app(address)];
      const owner = await parts.account();
      parts.answerWith((url) =>
        url.includes('stuck') ? new Promise(() => undefined) : Promise.resolve({ status: 200 }),
      );
      const worker = parts.backChannel.start();
      await parts.signIn(owner, [stuck, good]);
      await parts.sessions.endAll(owner, operator);
      parts.backChannel.hurry();
      while (parts.sent.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      await worker[Symbol.asyncDispose]();
      const left = await parts.backChannel.list({ clientId: stuck });
      expect(left.map(({ status }) => status)).to.deep.equal(['pending']);
    });

    it('are told at once, and by a look, while all that is under way is silent', async () => {
      for (const change of [{ poll: 3600 }, { poll: 0.02 }]) {
        parts = await createFixture(lane, change);
        const [silent, good] = [await parts.app('https://silent.example/logout'), await parts.app(address)];
        const gate = Promise.withResolvers<{ status: number }>();
        parts.answerWith((url) => (url.includes('silent') ? gate.promise : Promise.resolve({ status: 200 })));
        const worker = parts.backChannel.start();
        for (const app of [silent, good]) {
          const owner = await parts.account();
          await parts.signIn(owner, [app]);
          await parts.sessions.endAll(owner, operator);
          if (change.poll > 1) parts.backChannel.hurry();
          while (!parts.sent.some(({ aud }) => aud === app)) await new Promise((resolve) => setTimeout(resolve, 5));
        }
        gate.resolve({ status: 200 });
        await worker[Symbol.asyncDispose]();
      }
    });
  });
}
