import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { type AppError, reasonOf } from '../../src/shared/errors.ts';
import { asStoreError, type Database } from '../../src/storage/database.ts';
import { openPglite, type PgliteOptions } from '../../src/storage/pglite.ts';
import { statement } from '../../src/storage/statement.ts';
import { full, good, stuck, watchDisk } from './watched-disk.ts';

const writer = join(import.meta.dirname, 'writer.ts');

/** Runs the writer on `dir`, kills it after so many acknowledged rows, and says which was the last. */
async function writeThenKill(dir: string, rows: number): Promise<number> {
  const child = spawn(process.execPath, [writer, dir], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let last = -1;
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    seen += 1;
    if (seen === rows) child.kill('SIGKILL');
  }
  await ended;
  return last;
}

async function killWhilePreparing(dir: string): Promise<void> {
  const child = spawn(process.execPath, [writer, dir], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stderr.once('data', () => child.kill('SIGKILL'));
  await ended;
}

async function untilItWorks(work: () => PromiseLike<unknown>): Promise<void> {
  for (const end = performance.now() + 15_000; ; ) {
    try {
      return void (await work());
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

describe('PGlite on disk', () => {
  let dir: string;
  const open: Database[] = [];

  const openHere = async (options?: PgliteOptions): Promise<Database> => {
    const database = await openPglite(dir, options);
    open.push(database);
    return database;
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sallyport-pglite-'));
  });

  afterEach(async () => {
    for (const database of open.splice(0)) await database[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  it('reaches the disk with every commit', async () => {
    const disk = watchDisk(dir);
    const database = await openHere(disk);
    await database.sql.raw('create table counted (id int)');
    const during = async (work: () => Promise<unknown>): Promise<number> => {
      const before = disk.syncs;
      await work();
      return disk.syncs - before;
    };
    const fifty = async (): Promise<void> => {
      for (let id = 0; id < 50; id += 1) await database.sql('counted').insert({ id });
    };
    expect(await during(fifty)).to.be.at.least(50);
    expect(await during(() => database.sql('counted').count()), 'reading').to.equal(0);
    expect(await during(() => database.sql.raw('checkpoint')), 'a checkpoint').to.be.at.least(3);
  });

  it('keeps every acknowledged row when the process is killed, three times over', async () => {
    for (let round = 0; round < 3; round += 1) {
      const last = await writeThenKill(dir, 150);
      const database = await openPglite(dir);
      const { rows } = await database.sql.raw<{ rows: { count: number; top: number; torn: number }[] }>(
        `select count(*)::int, max(id) as top, count(*) filter (where id % 3 = 0 and filler <> 'kept')::int as torn from acked`,
      );
      await database[Symbol.asyncDispose]();
      expect(rows[0]!.top, 'the last acknowledged row').to.be.at.least(last);
      expect(rows[0]!.count, 'no row in between is missing').to.equal(rows[0]!.top + 1);
      expect(rows[0]!.torn, 'half transactions').to.equal(0);
    }
  }).timeout(60_000);

  it('syncs every file before it recovers, each once', async () => {
    await writeThenKill(dir, 20);
    const tables = join(dir, 'database', 'base', '5');
    const files = readdirSync(tables).filter((name) => /^[0-9]/.test(name));
    const before = new Map(files.map((name) => [statSync(join(tables, name)).ino, name]));
    const disk = watchDisk(dir);
    await openHere(disk);
    const syncs = disk.byFile();
    expect(files.length).to.be.above(250);
    const missed = [...before].filter(([ino]) => !syncs.has(ino)).map(([, name]) => name);
    expect(missed, 'never synced').to.deep.equal([]);
    const twice = [...before].filter(([ino]) => (syncs.get(ino) ?? 0) > 1);
    expect(twice.length, 'synced again without a change in between').to.be.below(files.length / 4);
  }).timeout(30_000);

  it('starts over after being killed while it made the database', async () => {
    await killWhilePreparing(dir);
    expect(existsSync(join(dir, 'database'))).to.equal(false);
    const database = await openHere();
    expect((await database.sql.raw('select 1 as one')).rows).to.deep.equal([{ one: 1 }]);
  });

  it('says what it does at the first start, and is silent at the second', async () => {
    const texts: string[] = [];
    await (await openPglite(dir, { onProgress: (text) => texts.push(text) }))[Symbol.asyncDispose]();
    expect(texts).to.deep.equal(['Making the embedded database.']);
    await openHere({ onProgress: (text) => texts.push(text) });
    expect(texts).to.have.length(1);
  });

  it('refuses a database of another PostgreSQL', async () => {
    await (await openPglite(dir))[Symbol.asyncDispose]();
    writeFileSync(join(dir, 'database', 'PG_VERSION'), '17\n');
    const refusal = await openPglite(dir).catch((error: unknown) => error);
    expect(refusal)
      .to.be.instanceOf(Error)
      .with.property('message')
      .that.matches(/PostgreSQL 17.*DATABASE_URL/s);
    writeFileSync(join(dir, 'database', 'PG_VERSION'), '18\n');
    await openHere();
  });

  it('fails at once when the disk is full, and works again when it is not', async () => {
    const disk = watchDisk(dir);
    const database = await openHere(disk);
    await database.sql.raw('create table filled (id int)');
    await database.sql('filled').insert({ id: 0 });
    disk.become(full);
    const started = performance.now();
    const insert = (id: number) => () => database.sql('filled').insert({ id });
    // In a transaction BEGIN, the statement and COMMIT may leave together; the server panics in the middle of them.
    const atOnce = () => database.transaction(() => database.query(statement('insert into filled values (1)'), []));
    for (const write of [atOnce, insert(2), () => database.transaction(insert(3))]) {
      expect(await write().then(String, (error: unknown) => error)).to.be.instanceOf(Error);
    }
    expect(performance.now() - started).to.be.below(2_000);
    expect(await database.sql('filled').select('id').catch(reasonOf)).to.match(/embedded database has stopped/);
    disk.become(good);
    await untilItWorks(() => database.sql('filled').insert({ id: 9 }));
    expect((await database.sql('filled').pluck('id')).filter((id) => id === 0 || id === 9)).to.deep.equal([0, 9]);
  });

  for (const first of ['a request', 'work that nobody waits for'] as const) {
    it(`lets no request wait for a disk that hangs, and goes on when it does; ${first} met it first`, async () => {
      const disk = watchDisk(dir);
      const database = await openHere({ execArgv: disk.execArgv });
      await database.sql.raw('create table slow (id int)');
      const insert = (id: number) => () => database.transaction(async () => database.sql('slow').insert({ id }));
      const ask = async (id: number) => {
        const began = performance.now();
        const outcome = await database.unitOfWork(Date.now(), insert(id)).then(
          () => 'kept',
          (error: unknown) => (asStoreError(error) as AppError).code,
        );
        return { outcome, inTime: performance.now() - began < 2_000 };
      };
      const refused = { outcome: 'unavailable', inTime: true };
      disk.become(stuck);
      const work = first === 'a request' ? ask(1) : insert(1)().then(() => 'kept');
      for (const answer of await Promise.all([2, 3, 4, 5].map(ask))) expect(answer).to.deep.equal(refused);
      expect(await ask(6)).to.deep.equal(refused);
      if (first === 'a request') expect(await work).to.deep.equal(refused);
      disk.become(good);
      await untilItWorks(async () => expect((await ask(7)).outcome).to.equal('kept'));
      const kept: number[] = await database.sql('slow').orderBy('id').pluck('id');
      if (first === 'a request') {
        // How it ended nobody was told.
        expect(kept.filter((id) => id !== 1)).to.deep.equal([7]);
      } else {
        expect(await work).to.equal('kept');
        expect(kept).to.deep.equal([1, 7]);
      }
    }).timeout(40_000);
  }

  it('gives up a disk that hangs, and opens the files again only when nobody else has them', async () => {
    const disk = watchDisk(dir);
    const database = await openHere({ execArgv: disk.execArgv, patienceMs: 1_000 });
    await database.sql.raw('create table slow (id int)');
    await database.sql('slow').insert({ id: 0 });
    disk.become(stuck);
    const answers = await Promise.all(
      [1, 2].map((id) =>
        database
          .sql('slow')
          .insert({ id })
          .catch((error: unknown) => error),
      ),
    );
    expect(answers.every((answer) => answer instanceof Error)).to.equal(true);
    // Longer than it takes to open a database again.
    for (const end = performance.now() + 5_000; performance.now() < end; ) {
      expect(await database.sql('slow').select('id').catch(reasonOf)).to.match(/embedded database has stopped/);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    disk.become(good);
    await untilItWorks(() => database.sql('slow').insert({ id: 9 }));
    expect(await database.sql('slow').pluck('id')).to.include.members([0, 9]);
  }).timeout(40_000);
});
