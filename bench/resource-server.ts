// `node bench/resource-server.ts [--seconds n]`: what it costs an API to check a token, beside bare jose, in turns within one
// run; and what status lists cost the server. One thread, no network: the issuer is a function.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { deflateSync } from 'node:zlib';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { createResourceServer } from '../src/resource-server/index.ts';
import { percentile } from './measure.ts';
import { measureStatusLists } from './status-lists.ts';

const issuer = 'https://id.example.com';
const audience = 'https://api.example.com';
const listUri = `${issuer}/oauth2/status-lists/a`;

/** Microseconds: median and 99th percentile of single calls, warm. */
async function time(work: (round: number) => Promise<unknown>, seconds: number): Promise<{ p50: number; p99: number }> {
  for (let round = 0; round < 2_000; round += 1) await work(round);
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let round = 0; performance.now() < end; round += 1) {
    const from = process.hrtime.bigint();
    await work(round);
    times.push(Number(process.hrtime.bigint() - from) / 1000);
  }
  const sorted = Float64Array.from(times).sort();
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

async function prepare() {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
  const now = Math.floor(Date.now() / 1000);
  const sign = (claims: Record<string, unknown>, typ: string): Promise<string> =>
    new SignJWT({ iss: issuer, iat: now, exp: now + 3600, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k', typ })
      .sign(privateKey);
  const token = (index: number): Promise<string> => {
    const status = { status_list: { idx: index, uri: listUri } };
    const claims = { sub: `acc_${index}`, aud: audience, client_id: 'web', jti: `t${index}`, scope: 'a b', status };
    return sign(claims, 'at+jwt');
  };
  const tokens = await Promise.all(Array.from({ length: 1_000 }, (_, index) => token(index)));
  const lst = deflateSync(Buffer.alloc(32 * 1024)).toString('base64url');
  const list = await sign({ sub: listUri, ttl: 3600, status_list: { bits: 1, lst } }, 'statuslist+jwt');
  const fetch = async (url: string): Promise<Response> => {
    if (url === listUri) return new Response(list);
    return Response.json(url.endsWith('/jwks') ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/jwks` });
  };
  return { jwk, tokens, fetch };
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } });
const seconds = Number(values.seconds);
const { jwk, tokens, fetch } = await prepare();
// A copy for each call, as every request brings a string of its own that was never hashed.
const shown = (round: number): string => Buffer.from(tokens[round % tokens.length] ?? '').toString('latin1');
const keys = createLocalJWKSet({ keys: [jwk] });
const cached = createResourceServer({ issuer, audience, fetch });
const fresh = createResourceServer({ issuer, audience, fetch, rememberTokens: 0 });

const subjects: Record<string, (round: number) => Promise<unknown>> = {
  'jose.jwtVerify, keys at hand': (round) => jwtVerify(shown(round), keys, { issuer, audience, typ: 'at+jwt' }),
  'verify, first time': (round) => fresh.verify(shown(round)),
  'verify, seen before': (round) => cached.verify(shown(round)),
};
const found = new Map<string, { p50: number; p99: number }[]>();
for (let turn = 0; turn < 2; turn += 1) {
  for (const [name, work] of Object.entries(subjects)) {
    found.set(name, [...(found.get(name) ?? []), await time(work, seconds)]);
  }
}
const best = (name: string) => (found.get(name) ?? []).reduce((one, other) => (other.p50 < one.p50 ? other : one));
const bare = best('jose.jwtVerify, keys at hand').p50;
process.stdout.write(
  `Node ${process.version}, ${availableParallelism()} cores; ES256, 1000 tokens with a status list; best of 2 turns of ${seconds} s\n\n`,
);
process.stdout.write(`${''.padEnd(32)}${'p50 µs'.padStart(10)}${'p99 µs'.padStart(10)}${'of jose'.padStart(10)}\n`);
for (const name of found.keys()) {
  const { p50, p99 } = best(name);
  const share = `${((p50 / bare) * 100).toFixed(1)} %`;
  process.stdout.write(
    `${name.padEnd(32)}${p50.toFixed(2).padStart(10)}${p99.toFixed(2).padStart(10)}${share.padStart(10)}\n`,
  );
}
await measureStatusLists((line) => process.stdout.write(`${line}\n`));
