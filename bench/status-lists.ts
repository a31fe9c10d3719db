import { generateKeyPair, SignJWT } from 'jose';
import { systemClock } from '../src/shared/clock.ts';
import { randomText } from '../src/shared/ids.ts';
import { createStatusLists } from '../src/status-list/index.ts';
import { createSqlStatusListStore } from '../src/status-list/status-list-store-sql.ts';
import { type Database, openPostgres } from '../src/storage/database.ts';
import { migrate } from '../src/storage/migrate.ts';
import { openPglite } from '../src/storage/pglite.ts';

const total = 100_000;
const address = 'https://id.example.com/oauth2/status-lists';

/** Time on the clock, and time of this process's threads, which neighbours on the machine do not change. */
const timed = async <T>(work: () => Promise<T>): Promise<{ value: T; ms: number; cpu: number }> => {
  const [from, before] = [performance.now(), process.cpuUsage()];
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return { value, ms: performance.now() - from, cpu: (user + system) / 1000 };
};

/** Live tokens, made in the database because making them one by one is another question. */
async function fill(database: Database, listId: string, count: number): Promise<void> {
  await database.sql.raw(
    `insert into status_entry (list_id, idx, token_key, client_id, grant_key, account_key, access_key, session_key, api_key, issued_at, expires_at)
     select :list, idx, left(md5('t' || n) || md5('x' || n), 22), 'bench', left(md5('g' || n / 2), 22), left(md5('a' || n / 20), 22),
       left(md5('c' || n / 20), 22), left(md5('s' || n / 4), 22), left(md5('api'), 22), now() - interval '1 minute', now() + interval '10 minutes'
     from (select idx, row_number() over () - 1 as n
       from (select idx from generate_series(0, 262143) as idx order by random() limit :count) as places) as tokens
     on conflict do nothing`,
    { list: listId, count },
  );
}

async function revoke(database: Database, count: number): Promise<void> {
  await database.sql.raw(
    `insert into revocation (kind, id_hash, revoked_at, expires_at, reason, revoked_by)
     select 'token', rpad(left(md5('t' || n) || md5('x' || n), 22), 43, 'x'), now(), now() + interval '10 minutes', 'bench', 'bench'
     from generate_series(0, :count - 1) as n on conflict do nothing`,
    { count },
  );
}

/** What it costs to give a token its place, and to make a list of 100,000 tokens. */
export async function measureStatusLists(say: (line: string) => void): Promise<void> {
  const url = process.env.DATABASE_URL;
  await using database = url ? openPostgres(url, { poolSize: 10 }) : await openPglite(undefined);
  await migrate(database);
  const { privateKey } = await generateKeyPair('ES256');
  const signer = {
    version: () => 'v',
    sign: (alg: string, typ: string, claims: object) =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg, typ, kid: 'k' }).sign(privateKey),
  };
  const make = () =>
    createStatusLists({
      ...{ store: createSqlStatusListStore(database), signer, clock: systemClock },
      ...{ issuer: 'https://id.example.com', ttlSeconds: 60, address },
    });
  await database.sql.raw(
    `insert into client (id, name, kind, metadata, created_at, updated_at) values ('bench', 'Bench', 'web', '{}', now(), now()) on conflict do nothing`,
  );
  const iat = Math.floor(Date.now() / 1000);
  const enter = (lists: ReturnType<typeof make>) =>
    lists.enter({ jti: randomText(21), clientId: 'bench', api: 'https://api.example.com', iat, exp: iat + 600 });

  say(`\nStatus lists on ${url ? 'PostgreSQL' : 'embedded PGlite'}`);
  const lists = make();
  const { uri } = await enter(lists);
  const one = await timed(async () => {
    for (let round = 0; round < 500; round += 1) await enter(lists);
  });
  say(
    `  a place for a token, one after another: ${(one.ms / 500).toFixed(2)} ms, CPU ${(one.cpu / 500).toFixed(2)} ms`,
  );
  const many = await timed(() => Promise.all(Array.from({ length: 1_000 }, () => enter(lists))));
  say(`  1000 at once: ${(many.ms / 1000).toFixed(2)} ms each, CPU ${(many.cpu / 1000).toFixed(2)} ms`);
  const listId = uri.slice(address.length + 1);
  await fill(database, listId, total);
  await database.sql.raw('analyze status_entry');
  for (const revoked of [0, 100, 1_000, 10_000]) {
    await revoke(database, revoked);
    const made = await timed(() => make().find(listId));
    const { token = '', gzipped } = made.value ?? {};
    say(
      `  ${total} tokens, ${revoked} revoked: list made in ${made.ms.toFixed(0)} ms, CPU ${made.cpu.toFixed(0)} ms, ${token.length} bytes, ${gzipped?.length} gzipped`,
    );
  }
}
