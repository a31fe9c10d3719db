import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { createFileSource, createRangeSource } from '../../src/credentials/password-breaches.ts';
import { codesOf, createPolicyFixture, rangeServer } from './password-fixture.ts';

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex').toUpperCase();
const known = 'quiet green bicycle tower';
const unknown = 'quiet green bicycle river';
const filler = ['0'.repeat(35), 'F'.repeat(35)].map((suffix) => `${suffix}:7`);
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a range service', () => {
  const answerWith = (suffix: string, count: number) =>
    rangeServer((_request, response) => response.end([...filler, `${suffix}:${count}`].join('\r\n')));

  it('is told five digits and asked for padding, and says what it knows', async () => {
    await using service = await answerWith(sha1(known).slice(5), 42);
    const source = createRangeSource(service.url);
    expect(await source.count(known)).to.equal(42);
    expect(await source.count(unknown)).to.equal(0);
    const [request] = service.asked;
    expect(request?.url).to.equal(`/range/${sha1(known).slice(0, 5)}`);
    expect(request?.headers['add-padding']).to.equal('true');
    expect(JSON.stringify([request?.url, request?.headers])).not.to.contain(sha1(known).slice(5));
  });

  it('does not mean it when it pads', async () => {
    await using service = await answerWith(sha1(known).slice(5), 0);
    expect(await createRangeSource(service.url).count(known)).to.equal(0);
  });

  it('fails when it is slow, within its time', async () => {
    await using silent = await rangeServer(() => undefined);
    await using dripping = await rangeServer((_request, response) => {
      response.write(`${filler[0]}\r\n`);
    });
    for (const { url } of [silent, dripping]) {
      const start = performance.now();
      expect(await failureOf(createRangeSource(url, 200).count(known))).to.be.instanceOf(Error);
      expect(performance.now() - start).to.be.within(150, 8_000);
    }
  });

  it('fails when it says something else', async () => {
    const big = `${'A'.repeat(35)}:1\r\n`.repeat(40_000);
    for (const [body, status] of [
      ['<html>Sign in to this network</html>', 200],
      ['', 200],
      ['0'.repeat(35), 200],
      [`${filler[0]}\r\nnonsense`, 200],
      [`${sha1(known)}:3`, 200],
      [big, 200],
      [filler[0], 500],
      [filler[0], 302],
      ['', 404],
    ] as const) {
      await using service = await rangeServer((_request, response) => {
        response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end(body);
      });
      const error = await failureOf(createRangeSource(service.url).count(known));
      expect(error, `${status} ${body?.slice(0, 20)}`).to.be.instanceOf(Error);
    }
  });
});

describe('a breach file', () => {
  let folder: string;
  const fileOf = async (lines: readonly string[], end = '\n'): Promise<string> => {
    const path = join(folder, `${Math.random()}.txt`);
    await writeFile(path, lines.map((line) => `${line}${end}`).join(''));
    return path;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-breaches-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('is searched wherever the line is, with either end of line and shortened hashes', async () => {
    const words = Array.from({ length: 1000 }, (_, index) => `word ${index}`);
    const sorted = words.map((word, index) => ({ hash: sha1(word), index })).sort((a, b) => (a.hash < b.hash ? -1 : 1));
    for (const [digits, end] of [
      [40, '\n'],
      [40, '\r\n'],
      [16, '\n'],
      [20, '\r\n'],
    ] as const) {
      const path = await fileOf(
        sorted.map(({ hash, index }) => `${hash.slice(0, digits)}:${index + 1}`),
        end,
      );
      const source = createFileSource(path);
      for (const index of [0, 1, 500, 999]) expect(await source.count(`word ${index}`)).to.equal(index + 1);
      const [first, last] = [sorted[0]!, sorted.at(-1)!];
      for (const edge of [first, last]) expect(await source.count(words[edge.index]!)).to.equal(edge.index + 1);
      expect(await source.count('word 1000')).to.equal(0);
    }
  });

  it('finds exactly what is in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ maxLength: 5 }), { maxLength: 12 }),
        fc.string({ maxLength: 5 }),
        async (words, asked) => {
          const path = await fileOf(words.map((word) => `${sha1(word)}:${'9'.repeat(1 + (word.length % 3))}`).sort());
          expect((await createFileSource(path).count(asked)) > 0).to.equal(words.includes(asked));
          for (const word of words) expect(await createFileSource(path).count(word)).to.be.greaterThan(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('fails when it is missing or something else', async () => {
    const paths = [join(folder, 'missing'), await fileOf(['nonsense']), await fileOf(['x'.repeat(5000)]), folder];
    for (const path of paths)
      expect(await failureOf(createFileSource(path).count(known)), path).to.be.instanceOf(Error);
    expect(await createFileSource(await fileOf([])).count(known)).to.equal(0);
  });
});

describe('the policy and breaches', () => {
  const failures = async (fixture: Awaited<ReturnType<typeof createPolicyFixture>>, id: string) =>
    (await fixture.audit.list({ subject: id, type: 'password.breach_check_failed', limit: 5 })).map(
      ({ details }) => details,
    );

  it('refuses what was found, and asks about nothing that is refused anyway', async () => {
    await using service = await rangeServer((_request, response) =>
      response.end([...filler, `${sha1(known).slice(5)}:3`].join('\n')),
    );
    const fixture = await createPolicyFixture('pglite');
    const policy = fixture.makePolicy({ breaches: createRangeSource(service.url) });
    expect(await codesOf({ policy }, known)).to.deep.equal(['breached']);
    expect(await codesOf({ policy }, unknown)).to.deep.equal([]);
    expect(service.asked).to.have.length(2);
    expect(await codesOf({ policy }, 'passwordpassword')).to.deep.equal(['common']);
    expect(service.asked).to.have.length(2);
  });

  it('lets a password pass when nobody answers, and audits that', async () => {
    const fixture = await createPolicyFixture('pglite');
    const accountId = await fixture.newAccount();
    await using down = await rangeServer(() => undefined);
    const { url } = down;
    await down[Symbol.asyncDispose]();
    await using broken = await rangeServer((_request, response) => response.end('<html>'));
    const sources = [createRangeSource(url), createRangeSource(broken.url), createFileSource('/nowhere/at-all')];
    for (const source of sources) {
      expect(await codesOf({ policy: fixture.makePolicy({ breaches: source }) }, unknown, { accountId })).to.deep.equal(
        [],
      );
    }
    const events = await failures(fixture, accountId);
    expect(events.map((details) => details?.source)).to.have.members(['range', 'range', 'file']);
    expect(JSON.stringify(events)).not.to.contain(unknown).and.not.to.contain(sha1(unknown).slice(0, 5));
  });
});
