import { expect } from 'chai';
import fc from 'fast-check';
import { createPerson } from '../support/people.ts';
import { startApp } from '../support/start-app.ts';
import { exchange, type RawAnswer } from '../web/raw-http.ts';
import { doorsOf } from './doors.ts';
import { canary } from './hostile-values.ts';
import { knockAt, textOf } from './knock.ts';

const seed = 20_261_121;
const budget = { milliseconds: 40_000, runs: 3_000, answer: 2_000 };
const mustHave = [
  'content-security-policy',
  'x-frame-options',
  'x-content-type-options',
  'referrer-policy',
  'cache-control',
  'x-request-id',
];
const leaks =
  /node_modules|\n\s+at |\.ts:\d|select "|insert into|syntax error at|ECONN|TypeError|ReferenceError|Cannot read prop/;

function judge(answer: RawAnswer, request: string): void {
  const about = `${answer.status} to ${request.slice(0, 1500)}\n${answer.body.slice(0, 600)}`;
  expect(answer.status, about).to.be.within(200, 499);
  // A parser that gives up answers before there is a request to name.
  const required = [400, 417, 431].includes(answer.status) ? mustHave.slice(0, 5) : mustHave;
  for (const name of required) expect(answer.headers.has(name), `${name} in ${about}`).to.equal(true);
  expect(answer.body, about).to.not.match(leaks).and.not.include(canary);
  for (const value of answer.headers.values()) expect(value, about).to.not.include('Set-Cookie');
  const location = answer.headers.get('location') ?? '';
  if (location !== '') {
    expect(location, about).to.match(/^(?:\/(?!\/)|http:\/\/127\.0\.0\.1:\d+\/|https:\/\/app\.example\/)/);
  }
}

describe('hostile requests', function () {
  this.timeout(90_000);
  const stray: unknown[] = [];
  const note = (error: unknown): number => stray.push(error);

  it('get an answer that is neither a failure of ours nor a leak, and never a hanging connection', async () => {
    process.on('unhandledRejection', note);
    await using running = await startApp({
      SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '1000000',
      SALLYPORT_LIMIT_TOKEN: '1000000',
    });
    const person = await createPerson(running);
    const { doors, stages } = await doorsOf(running);
    const { port, host } = new URL(running.url);
    const probe = `GET /oauth2/jwks HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const metadata = await (await fetch(`${running.url}/.well-known/openid-configuration`)).text();
    const slowest = { milliseconds: 0, request: '' };

    await fc.assert(
      fc.asyncProperty(knockAt(doors), async (knock) => {
        const stage = knock.door.stage && (await stages.at(knock.door.stage));
        const request = textOf(knock, host, stage);
        const begun = performance.now();
        const { answers, closed } = await exchange(Number(port), [Buffer.from(request, 'latin1'), probe], {
          expected: 2,
        });
        const milliseconds = performance.now() - begun;
        if (milliseconds > slowest.milliseconds)
          Object.assign(slowest, { milliseconds, request: request.slice(0, 200) });
        const [first, second] = answers;
        expect(first, `an answer to ${request.slice(0, 1500)}`).to.not.equal(undefined);
        if (first) judge(first, request);
        expect(
          closed || second?.status === 200,
          `a usable or closed connection after ${request.slice(0, 1500)}`,
        ).to.equal(true);
        expect(milliseconds, request.slice(0, 500)).to.be.below(budget.answer);
      }),
      {
        seed,
        numRuns: budget.runs,
        interruptAfterTimeLimit: budget.milliseconds,
        markInterruptAsFailure: false,
        endOnFailure: true,
      },
    );

    expect(stray).to.deep.equal([]);
    expect(Object.keys(Object.prototype)).to.deep.equal([]);
    expect(({} as Record<string, unknown>).x).to.equal(undefined);
    expect(await (await fetch(`${running.url}/.well-known/openid-configuration`)).text()).to.equal(metadata);
    expect(await running.app.domains.credentials.verifyPassword(person.account.id, person.password)).to.equal(true);
  });

  after(() => process.off('unhandledRejection', note));
});
