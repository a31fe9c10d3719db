import { expect } from 'chai';
import fc from 'fast-check';
import { runsEverywhere } from '../support/lanes-wanted.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { exchange, type RawAnswer } from '../web/raw-http.ts';
import type { Door } from './doors.ts';
import { canary } from './hostile-values.ts';
import { type Knock, knockAt, sweep, textOf } from './knock.ts';
import type { Stages } from './stages.ts';
import { untouched } from './untouched.ts';

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
  // What a list said at another time is asked for in a way that has this answer (draft-ietf-oauth-status-list §8.4).
  const ofAnotherTime = answer.status === 501 && /\/oauth2\/status-lists\/.*[?&]time=/i.test(request);
  if (!ofAnotherTime) expect(answer.status, about).to.be.within(200, 499);
  // A parser that gives up answers before there is a request to name.
  const required = [400, 417, 431].includes(answer.status) ? mustHave.slice(0, 5) : mustHave;
  for (const name of required) expect(answer.headers.has(name), `${name} in ${about}`).to.equal(true);
  expect(answer.body, about).to.not.match(leaks);
  if (answer.headers.get('content-type')?.startsWith('text/html')) expect(answer.body, about).to.not.include(canary);
  const location = answer.headers.get('location') ?? '/';
  expect(location, about).to.match(/^(?:\/(?!\/)|http:\/\/(?:127\.0\.0\.1|localhost):\d+\/|https:\/\/app\.example\/)/);
  expect(answer.headers.get('set-cookie') ?? '', about).to.not.match(/^x=1/);
}

/** Sends nonsense to one running server and judges what comes back. */
class Siege {
  slowest = { milliseconds: 0, request: '' };
  sent = 0;
  readonly #url: URL;
  readonly #stages: Stages;

  constructor(url: string, stages: Stages) {
    this.#url = new URL(url);
    this.#stages = stages;
  }

  async send(knock: Knock): Promise<void> {
    const { host, port } = this.#url;
    const stage = knock.door.stage && (await this.#stages.at(knock.door.stage));
    const request = textOf(knock, host, stage);
    const probe = `GET /oauth2/jwks HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const begun = performance.now();
    this.sent += 1;
    const { answers, closed } = await exchange(Number(port), [Buffer.from(request, 'latin1'), probe], { expected: 2 });
    const milliseconds = performance.now() - begun;
    if (milliseconds > this.slowest.milliseconds) this.slowest = { milliseconds, request: request.slice(0, 300) };
    const [first, second] = answers;
    if (!first) throw new Error(`no answer to ${request.slice(0, 1500)}`);
    judge(first, request);
    expect(closed || second?.status === 200, `a usable or closed connection after ${request.slice(0, 1500)}`).to.equal(
      true,
    );
  }
}

/** Milliseconds of random requests; FUZZ_SECONDS gives them longer. */
const patience = Number(process.env.FUZZ_SECONDS ?? 6) * 1000;
/** Random requests that are sent however slow the machine is. */
const least = 60;

interface Plan {
  readonly env?: () => Promise<Record<string, string>>;
  /** Every place to knock at, and who is half-way through them. */
  readonly doors: (running: RunningApp) => Promise<{ readonly doors: readonly Door[]; readonly stages: Stages }>;
  /** Whether each value is tried at this door; the others are knocked at at random only. */
  readonly isSwept?: (door: Door) => boolean;
}

const limits = {
  SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '1000000',
  SALLYPORT_LIMIT_TOKEN: '1000000',
  SALLYPORT_LIMIT_ACCOUNT_CHANGES: '1000000',
};

/** An issuer by name: browsers have no passkeys for an address of numbers. */
export async function onLocalhost(): Promise<Record<string, string>> {
  const port = String(await freePort());
  return { PORT: port, SALLYPORT_ISSUER: `http://localhost:${port}` };
}

/** Defines the tests of a server of its own at whose doors nonsense is sent. */
export function besiege(title: string, { env, doors: build, isSwept = () => true }: Plan): void {
  describe(title, function () {
    this.timeout(120_000 + patience);
    const stray: unknown[] = [];
    const note = (error: unknown): number => stray.push(error);
    let running: RunningApp;
    let doors: readonly Door[];
    let siege: Siege;
    let person: Person;
    let metadata: string;
    let standing: unknown;

    const discovery = async (): Promise<string> =>
      (await fetch(`${running.url}/.well-known/openid-configuration`)).text();

    before(async () => {
      process.on('unhandledRejection', note);
      running = await startApp({ ...limits, ...(await env?.()) });
      person = await createPerson(running);
      await enrolTotp(running, person.account.id, person.login);
      const built = await build(running);
      doors = built.doors;
      siege = new Siege(running.url, built.stages);
      metadata = await discovery();
      standing = await untouched(running, person.account.id);
    });

    afterEach(async () => {
      expect(stray).to.deep.equal([]);
      expect(Object.keys(Object.prototype)).to.deep.equal([]);
      expect(siege.slowest.milliseconds, siege.slowest.request).to.be.below(10_000);
      expect(await discovery()).to.equal(metadata);
      expect(await running.app.domains.credentials.verifyPassword(person.account.id, person.password)).to.equal(true);
      expect(await untouched(running, person.account.id), 'rows that nobody here may change').to.deep.equal(standing);
    });

    after(async () => {
      await running?.[Symbol.asyncDispose]();
      process.off('unhandledRejection', note);
    });

    it('with one sharp value in any field get an answer that is no failure of ours', async () => {
      for (const knock of sweep(doors.filter(isSwept))) await siege.send(knock);
      expect(siege.sent, 'requests').to.be.above(100);
    });

    it('spoilt at random get one too, and leave every connection usable or closed', async () => {
      const [first, end] = [siege.sent, Date.now() + patience];
      await fc.assert(
        fc.asyncProperty(knockAt(doors), async (knock) => {
          // An interrupted run of fast-check goes on beside what comes next; this ends between two requests.
          if (siege.sent - first < least || Date.now() < end) await siege.send(knock);
        }),
        { seed: 20_261_121, numRuns: runsEverywhere() ? 3_000 : 1_500, endOnFailure: true },
      );
      expect(siege.sent - first, 'random requests').to.be.at.least(least);
    });
  });
}
