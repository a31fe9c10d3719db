// `npm run bench`: Sallyport beside stock oidc-provider and bare argon2, in turns, within one run.
// DATABASE_URL and REDIS_URL choose Sallyport's stores; the database is one of its own on that server. With REDIS_URL
// stock oidc-provider runs on Redis too, beside the one in memory.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { type Lane, type LaneName, lanes } from './lanes.ts';
import {
  type BareHashing,
  type ServerUnderTest,
  type Slice,
  startHashing,
  startLoad,
  startServer,
} from './processes.ts';
import { lineOf, machine, type Report, type Result, ratiosOf, reportText } from './report.ts';

const usage = `npm run bench -- [options]
  --seconds <n>   measured seconds of each slice (default 3)
  --rounds <n>    how often every lane runs (default 2)
  --only <lane>   one of ${Object.keys(lanes).join(', ')}; may be repeated
  --profile <dir> write a CPU profile of Sallyport there, for the whole run
  --json          print the report as JSON
`;

interface Options {
  readonly seconds: number;
  readonly rounds: number;
  readonly only: readonly LaneName[];
  readonly json: boolean;
  readonly profile?: string;
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '2' },
      only: { type: 'string', multiple: true },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
  if (!(seconds > 0 && seconds <= 60)) throw new RangeError('--seconds takes a number up to 60.');
  if (!(Number.isInteger(rounds) && rounds > 0 && rounds <= 20)) throw new RangeError('--rounds takes 1 to 20.');
  const only = (values.only ?? Object.keys(lanes)) as LaneName[];
  for (const name of only) if (!Object.hasOwn(lanes, name)) throw new RangeError(`There is no lane ${name}.`);
  return { seconds, rounds, only, json: values.json, ...(values.profile !== undefined && { profile: values.profile }) };
}

/** An empty database beside the one of DATABASE_URL, dropped at the end. */
async function ownDatabase(stack: AsyncDisposableStack): Promise<NodeJS.ProcessEnv> {
  const url = process.env.DATABASE_URL;
  if (!url) return {};
  const name = `sallyport_bench_${process.pid}_${Date.now().toString(36)}`;
  const statement = async (text: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(text).finally(() => client.end());
  };
  await statement(`create database ${name}`);
  stack.defer(() => statement(`drop database if exists ${name} with (force)`));
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { DATABASE_URL: own.href };
}

function storesName(): string {
  const sql = process.env.DATABASE_URL ? 'PostgreSQL' : 'embedded PGlite';
  return process.env.REDIS_URL ? `${sql} and Redis` : sql;
}

/** What takes part, in every lane or in some. */
interface Contestant extends ServerUnderTest {
  readonly only?: readonly LaneName[];
}

/** The same for every server, so that code of which there is more is not measured while it is still interpreted. */
const warmUpOf = (lane: LaneName, round: number, seconds: number): number => {
  const { warmUpSeconds = 1 }: Lane = lanes[lane];
  return Math.min(round === 1 ? warmUpSeconds : 1, 10 * seconds);
};

const usual = 'argon2';
const fast = '@node-rs/argon2';

/** With the library that Sallyport hashes with, so that all else is compared; and for sign-ins with the usual one, too. */
async function startStock(stack: AsyncDisposableStack): Promise<Contestant[]> {
  const redis = process.env.REDIS_URL;
  const start = async (name: string, args: readonly string[]) =>
    stack.use(await startServer(name, 'stock.ts', { args }));
  const stock: Contestant[] = [await start('stock in memory', [fast])];
  if (redis) stock.push(await start('stock on Redis', [fast, redis]));
  const [name, ...rest] = redis ? ['stock on Redis', redis] : ['stock in memory'];
  return [...stock, { ...(await start(`${name}, ${usual}`, [usual, ...rest])), only: ['password', 'newBrowser'] }];
}

async function bench({ seconds, rounds, only, profile }: Options, say: (text: string) => void): Promise<Report> {
  await using stack = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const env = await ownDatabase(stack);
  const startedAt = new Date().toISOString();
  say(`Starting Sallyport on ${storesName()}, stock oidc-provider and the load generator.\n`);
  const execArgv = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const servers = [
    stack.use(await startServer('sallyport', 'sallyport.ts', { args: [dataDir], env, execArgv })),
    ...(await startStock(stack)),
  ];
  const load = stack.use(await startLoad());
  const libraries = only.includes('password') ? ([fast, usual] as const) : [];
  const hashing: BareHashing[] = [];
  for (const library of libraries) hashing.push(stack.use(await startHashing(library)));

  const slices = new Map<string, Slice[]>();
  const keep = (lane: string, server: string, slice: Slice): void => {
    const key = JSON.stringify([lane, server]);
    slices.set(key, [...(slices.get(key) ?? []), slice]);
    say(`  ${lane}, ${server}: ${(slice.done / slice.seconds).toFixed(1)}/s, ${slice.errors} errors\n`);
  };
  for (let round = 1; round <= rounds; round += 1) {
    say(`Round ${round} of ${rounds}\n`);
    for (const lane of only) {
      for (const server of servers.filter((one: Contestant) => one.only?.includes(lane) ?? true)) {
        keep(
          lanes[lane].title,
          server.name,
          await load.run(server, { lane, seconds, warmUpSeconds: warmUpOf(lane, round, seconds) }),
        );
      }
      if (lane !== 'password') continue;
      for (const bare of hashing) keep(lanes[lane].title, bare.name, await bare.run(seconds));
    }
  }
  const results = [...slices].map(([key, list]): Result => {
    const [lane = '', server = ''] = JSON.parse(key) as string[];
    return { lane, server, slices: list };
  });
  const lines = results.map(lineOf);
  return {
    ...machine(),
    stores: storesName(),
    startedAt,
    secondsPerSlice: seconds,
    rounds,
    lines,
    ratios: ratiosOf(lines),
  };
}

try {
  const options = readOptions(process.argv.slice(2));
  const report = await bench(options, (text) => process.stderr.write(text));
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `\n${reportText(report)}`);
  process.exitCode = report.lines.some(({ errors }) => errors > 0) ? 1 : 0;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 2;
}
