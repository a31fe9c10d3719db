import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import pg from 'pg';
import { lockDataDir } from '../../src/storage/data-dir-lock.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import { startAhead, takeAhead } from '../../src/storage/pglite-ahead.ts';
import { PgliteThread } from '../../src/storage/pglite-thread.ts';

describe('the thread of the embedded database', () => {
  let thread: PgliteThread;

  const client = async (): Promise<pg.Client> => {
    const made = new pg.Client({ stream: () => thread.connect() as never, user: 'postgres', ssl: false });
    // What fails is told to whoever asked, too.
    made.on('error', () => undefined);
    await made.connect();
    return made;
  };

  beforeEach(async () => {
    thread = new PgliteThread();
    await thread.open({ dir: undefined });
  });
  afterEach(() => thread.close());

  it('goes on after an error, and says which statement it was', async () => {
    const one = await client();
    const divided = await one.query('select 1/0').catch((error: unknown) => error);
    expect(divided).to.have.property('code', '22012');
    const wrong = await one.query('select $1::int', ['x']).catch((error: unknown) => error);
    expect(wrong).to.have.property('code', '22P02');
    expect((await one.query('select $1::int as one', [1])).rows).to.deep.equal([{ one: 1 }]);
    await one.end();
  });

  it('undoes what a client left unfinished', async () => {
    const leaving = await client();
    await leaving.query('create table kept (id int)');
    await leaving.query('begin');
    await leaving.query('insert into kept values (1)');
    await leaving.end();
    const next = await client();
    expect((await next.query('select id from kept')).rows).to.deep.equal([]);
    expect((await next.query('select now() = statement_timestamp() as outside')).rows).to.deep.equal([
      { outside: true },
    ]);
    await next.end();
  });

  it('undoes what a client began at the moment at which it left', async () => {
    const leaving = await client();
    const begun = leaving.query('begin').catch((error: unknown) => error);
    await leaving.end();
    await begun;
    const next = await client();
    await next.query('create table mine (id int)');
    await next.end();
    const last = await client();
    expect((await last.query('select id from mine')).rows).to.deep.equal([]);
    await last.end();
  });

  it('is over when its program breaks down, and nobody is told that all went well', async () => {
    const one = await client();
    await one.query('create table notes (note jsonb)');
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const answer = await one.query('insert into notes values ($1)', [deep]).catch((error: unknown) => error);
    expect(answer).to.be.instanceOf(Error);
    // Either the statement was refused and all is well, or everything is over.
    const after = await one.query('select count(*)::int as rows from notes').catch((error: unknown) => error);
    if (!thread.dead) expect(after).to.have.deep.property('rows', [{ rows: 0 }]);
    else expect(after).to.be.instanceOf(Error);
  });

  it('fails a statement that is too much for its stack instead of leaving it without an answer', async () => {
    const one = await client();
    const text = `select 1${'+1'.repeat(100_000)}`;
    expect(await one.query(text).catch((error: unknown) => error)).to.be.instanceOf(Error);
  });

  it('carries answers of any size', async () => {
    const one = await client();
    const { rows } = await one.query<{ text: string }>("select repeat('ü', 3000000) as text");
    expect(rows[0]?.text.length).to.equal(3_000_000);
    const long = 'é'.repeat(2_000_000);
    expect((await one.query<{ text: string }>('select $1::text as text', [long])).rows[0]?.text).to.equal(long);
    await one.end();
  });

  it('keeps nothing of what it has answered', async () => {
    const one = await client();
    const megabytes = () => process.memoryUsage.rss() / 2 ** 20;
    const ask = async (times: number) => {
      for (let time = 0; time < times; time += 1) await one.query("select repeat('x', 5000000) as text");
    };
    await ask(20);
    const before = megabytes();
    // Half a gigabyte in all.
    await ask(100);
    expect(megabytes() - before).to.be.below(250);
    await one.end();
  });

  it('leaves this one free while it works', async () => {
    const one = await client();
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    }, 1);
    await one.query('select count(*) from generate_series(1, 3000000) as n where n % 7 = 3');
    clearInterval(ticking);
    expect(turns).to.be.above(10);
    await one.end();
  });

  it('fails whoever waits when it ends, and says that it is dead', async () => {
    const one = await client();
    const ended = new Promise((resolve) => one.once('end', resolve));
    const waiting = one.query('select count(*) from generate_series(1, 30000000)').catch((error: unknown) => error);
    await thread.end();
    expect(await waiting).to.be.instanceOf(Error);
    await ended;
    expect(thread.dead).to.equal(true);
    const late = await client().catch((error: unknown) => error);
    expect(late).to.be.instanceOf(Error);
  });
});

describe('a database that is opened ahead', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sallyport-ahead-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('is the one that is asked for, with what it had', async () => {
    const first = await openPglite(dir);
    await first.sql.raw('create table kept (id int)');
    await first[Symbol.asyncDispose]();
    await using _ahead = startAhead(dir);
    await using database = await openPglite(dir);
    expect(takeAhead(dir)).to.equal(undefined);
    expect((await database.sql.raw('select count(*)::int as rows from kept')).rows).to.deep.equal([{ rows: 0 }]);
  });

  it('makes nothing where there was none, and is used all the same', async () => {
    {
      await using _ahead = startAhead(dir);
      expect(existsSync(join(dir, 'sallyport.lock'))).to.equal(false);
    }
    await using _ahead = startAhead(dir);
    await using database = await openPglite(dir);
    expect((await database.sql.raw('select 1 as one')).rows).to.deep.equal([{ one: 1 }]);
  });

  it('is shut down whole when nobody asks, however early', async () => {
    await (await openPglite(dir))[Symbol.asyncDispose]();
    for (const milliseconds of [0, 150, 400]) {
      {
        await using _ahead = startAhead(dir);
        await delay(milliseconds);
      }
      // Its state in the control file of PostgreSQL, after its identifier and two versions: 1 is "shut down".
      expect(readFileSync(join(dir, 'database', 'global', 'pg_control')).readUInt32LE(16)).to.equal(1);
    }
  });

  it('is left alone when another process has it, and let go when nobody asks', async () => {
    await (await openPglite(dir))[Symbol.asyncDispose]();
    {
      using _other = lockDataDir(dir);
      await using _ahead = startAhead(dir);
      expect(takeAhead(dir)?.cluster).to.equal(undefined);
    }
    {
      await using _ahead = startAhead(dir);
      expect(() => lockDataDir(dir)).to.throw(/in use/);
    }
    using _again = lockDataDir(dir);
  });
});
