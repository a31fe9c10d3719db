import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { AppError } from '../../src/shared/errors.ts';
import type { Database } from '../../src/storage/database.ts';
import { atTheEnd, currentUnitOfWork, type UnitOfWork } from '../../src/storage/unit-of-work.ts';
import type { EdgeContext } from '../../src/web/http/context.ts';
import { storeFailure } from '../../src/web/http/store-failure.ts';
import { createUnitOfWork } from '../../src/web/http/unit-of-work.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { startEdge } from './edge-app.ts';

type Step = (ctx: EdgeContext) => unknown;

const away = (): Error => Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' });

for (const lane of sqlLanes()) {
  describe(`unit of work of a request on ${lane}`, () => {
    let database: Database;
    before(async () => {
      database = await testDatabase(lane);
      await database.sql.raw('create table if not exists web_probe (id text primary key)');
    });

    /** Runs one request whose handler writes a row and then takes `step`; says what was answered and what was kept. */
    async function request(step: Step, { applies = true, path = '/oauth2/token' } = {}) {
      const id = randomUUID();
      const unitOfWork = createUnitOfWork({ database, applies: () => applies });
      await using edge = await startEdge({
        routes: {
          [path]: (ctx) =>
            unitOfWork(ctx as never, async () => {
              await storeFailure(ctx as never, async () => {
                await database.join();
                await database.sql('web_probe').insert({ id });
                await step(ctx);
              });
            }),
        },
      });
      const method = path === '/oauth2/token' ? 'POST' : 'GET';
      const answer = await fetch(edge.url + path, { method, redirect: 'manual' });
      const kept = (await database.sql('web_probe').where({ id })).length === 1;
      return { status: answer.status, kept, headers: answer.headers, text: await answer.text() };
    }

    const answerWith =
      (status: number, body: unknown = { ok: true }): Step =>
      (ctx) => {
        ctx.status = status;
        ctx.body = body;
      };

    it('keeps what a success and a refusal wrote and drops what a failure wrote', async () => {
      expect(await request(answerWith(200))).to.include({ status: 200, kept: true });
      expect(await request(answerWith(303))).to.include({ status: 303, kept: true });
      expect(await request(answerWith(400))).to.include({ status: 400, kept: true });
      expect(await request(answerWith(500))).to.include({ status: 500, kept: false });
      expect(await request(() => Promise.reject(new Error('defect')))).to.include({ status: 500, kept: false });
    });

    it('keeps a counted wrong try although the use case threw, but not when it was unavailable', async () => {
      const refuse = (code: 'forbidden' | 'unavailable') => () => Promise.reject(new AppError(code, 'No.'));
      expect(await request(refuse('forbidden'))).to.include({ status: 403, kept: true });
      expect(await request(refuse('unavailable'))).to.include({ status: 503, kept: false });
    });

    it('commits before the answer leaves', async () => {
      const { status, text } = await request(async (ctx) => {
        await database.sql.raw(
          'create temporary table late (id int unique deferrable initially deferred) on commit drop',
        );
        await database.sql.raw('insert into late values (1), (1)');
        ctx.body = { access_token: 'never' };
      });
      expect(status).to.equal(500);
      expect(text).to.not.include('never');
    });

    it('does not answer with success when a failed statement has spoilt the transaction', async () => {
      const { status, kept } = await request(async (ctx) => {
        const id = randomUUID();
        await database.sql('web_probe').insert({ id });
        await database
          .sql('web_probe')
          .insert({ id })
          .catch(() => undefined);
        ctx.body = { ok: true };
      });
      expect({ status, kept }).to.deep.equal({ status: 500, kept: false });
    });

    it('gives the connection back when a step before the commit fails', async () => {
      let unit: UnitOfWork | undefined;
      const failed = database.unitOfWork(0, async (current) => {
        unit = current;
        await database.join();
        current.beforeCommit.push(() => Promise.reject(new Error('step')));
      });
      expect(await failed.catch((error: Error) => error.message)).to.equal('step');
      const transaction = await unit?.transaction;
      const completed = transaction?.isCompleted();
      if (!completed) await transaction?.rollback();
      expect(completed).to.equal(true);
    });

    it('lets two events of one request write the same row, whichever of them opened the transaction', async () => {
      const id = randomUUID();
      const write = () => database.sql('web_probe').insert({ id }).onConflict('id').ignore();
      const failures: unknown[] = [];
      const answer = await request((ctx) => {
        atTheEnd(
          () => database.transaction(write),
          (error) => failures.push(error),
        );
        atTheEnd(
          async () => {
            await database.join();
            await write();
          },
          (error) => failures.push(error),
        );
        ctx.body = { ok: true };
      });
      expect({ ...answer, failures }).to.deep.include({ status: 200, kept: true, failures: [] });
      expect(await database.sql('web_probe').where({ id })).to.have.length(1);
    });

    it('fails with what an event of it could not write, and tells why', async () => {
      const failures: unknown[] = [];
      const { status, kept } = await request((ctx) => {
        atTheEnd(
          () => Promise.reject(new Error('event')),
          (error) => failures.push(error),
        );
        ctx.body = { ok: true };
      });
      expect({ status, kept }).to.deep.equal({ status: 500, kept: false });
      expect(failures.map(String)).to.deep.equal(['Error: event']);
    });

    it('does at once what an event outside of a request asks for', async () => {
      let told: unknown;
      await new Promise<void>((resolve) => {
        atTheEnd(
          () => Promise.reject(new Error('alone')),
          (error) => {
            told = error;
            resolve();
          },
        );
      });
      expect(String(told)).to.equal('Error: alone');
    });

    it('has no unit outside of its routes', async () => {
      const step: Step = (ctx) => {
        expect(currentUnitOfWork()).to.equal(undefined);
        ctx.status = 500;
      };
      expect(await request(step, { applies: false })).to.include({ status: 500, kept: true });
    });

    it('answers 503 instead of any error that comes from a store that was away', async () => {
      const failing = (step: Step): Step => {
        return async (ctx) => {
          const unit = currentUnitOfWork();
          if (unit) unit.storeFailure = away();
          await step(ctx);
        };
      };
      const redirect: Step = (ctx) => {
        ctx.redirect('https://app.example/cb?error=server_error&state=x');
      };
      const formPost = answerWith(400, '<form><input type="hidden" name="error" value="server_error"/></form>');
      const cases: [string, Step][] = [
        ['server_error', answerWith(500, { error: 'server_error' })],
        ['invalid_grant', answerWith(400, { error: 'invalid_grant' })],
        ['redirect', redirect],
        ['form_post', formPost],
        ['success in a broken transaction', answerWith(200)],
      ];
      for (const [name, step] of cases) {
        const result = await request(failing(step));
        expect(result, name).to.include({ status: 503, kept: false });
        expect(result.headers.get('retry-after'), name).to.equal('2');
        expect(result.headers.has('location'), name).to.equal(false);
        expect(JSON.parse(result.text), name).to.include({ error: 'temporarily_unavailable' });
      }
    });

    it('leaves a success alone that wrote nothing', async () => {
      const unitOfWork = createUnitOfWork({ database, applies: () => true });
      const read: Step = (ctx) => {
        const unit = currentUnitOfWork();
        if (unit) unit.storeFailure = away();
        ctx.body = { cached: true };
      };
      await using edge = await startEdge({
        routes: {
          '/read': (ctx) =>
            unitOfWork(ctx as never, () => storeFailure(ctx as never, async () => void read(ctx)) as Promise<void>),
        },
      });
      expect((await fetch(`${edge.url}/read`)).status).to.equal(200);
    });
  });
}
