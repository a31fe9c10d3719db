import type { Client } from '../../src/clients/index.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import type { RunningApp } from '../support/start-app.ts';
import { type Page, signInBase, WebClient } from '../support/web-client.ts';

/** How far a person has come when somebody starts to send nonsense in their name. */
export type StageName =
  | 'login'
  | 'totp'
  | 'enroll-totp'
  | 'consent'
  | 'unverified'
  | 'change-password'
  | 'offer-passkey'
  | 'account';

/** An open sign-in: where it is, whose browser it is, and the token of its form. */
export interface Stage {
  readonly base: string;
  readonly cookies: string;
  readonly csrf: string;
  /** What opened the door, where it is open. */
  readonly password: string;
}

interface Open {
  readonly web: WebClient;
  readonly page: Page;
  readonly password?: string;
}

/** The page of the account console that has a form at all times. */
const home = '/account/profile';

/** Keeps one open sign-in per stage and opens another one when nonsense has ended it. */
export class Stages {
  readonly #running: RunningApp;
  readonly #party: RelyingParty;
  readonly #strictParty: RelyingParty;
  readonly #open = new Map<StageName, Open>();

  private constructor(running: RunningApp, party: RelyingParty, strictParty: RelyingParty) {
    this.#running = running;
    this.#party = party;
    this.#strictParty = strictParty;
  }

  /** @param strict a client that demands a second factor, so that people without one have to enrol. */
  static async create(running: RunningApp, client: Client, strict: Client): Promise<Stages> {
    const discover = ({ id }: Client): Promise<RelyingParty> =>
      RelyingParty.discover({
        issuer: running.url,
        clientId: id,
        auth: () => undefined,
        redirectUri: 'https://app.example/cb',
      });
    return new Stages(running, await discover(client), await discover(strict));
  }

  async at(name: StageName): Promise<Stage> {
    const kept = this.#open.get(name);
    const page = kept && (await kept.web.open(kept.page.url));
    const open = kept && page && page.name === kept.page.name ? { ...kept, page } : await this.#advance(name);
    this.#open.set(name, open);
    return {
      base: name === 'account' ? home : signInBase(open.page),
      cookies: [...open.web.cookies()].map(([key, value]) => `${key}=${value}`).join('; '),
      csrf: /name="csrf" value="([^"]+)"/.exec(open.page.text)?.[1] ?? '',
      password: encodeURIComponent(open.password ?? ''),
    };
  }

  /** Somebody whose sign-in comes to this page. */
  async #personFor(name: StageName): Promise<Person> {
    const person = await createPerson(this.#running);
    const { id } = person.account;
    const { database, domains } = this.#running.app;
    if (name === 'totp') await enrolTotp(this.#running, id, person.login);
    if (name === 'unverified')
      await database.sql('account').where({ id }).update({ status: name, email_verified: false });
    if (name === 'change-password') await domains.credentials.setPassword(id, person.password, { mustChange: true });
    return person;
  }

  /** Signs in to the console of the account. */
  async #enter(web: WebClient, person: Person): Promise<Open> {
    const page = await signIn(web, await web.open(home), person);
    if (page.url.pathname !== home) throw new Error(`the sign-in came to ${page.url.pathname} (${page.status})`);
    return { web, page, password: person.password };
  }

  async #advance(name: StageName): Promise<Open> {
    const web = new WebClient(this.#running.url);
    const person = name === 'login' ? undefined : await this.#personFor(name);
    if (person && name === 'account') return this.#enter(web, person);
    // Only a browser that the account knows is offered one.
    if (person && name === 'offer-passkey') await this.#enter(web, person);
    const { url } = await (name === 'enroll-totp' ? this.#strictParty : this.#party).request({ prompt: 'login' });
    let page = await web.open(url);
    if (person) page = await signIn(web, page, person);
    if (page.name !== name) throw new Error(`the sign-in came to ${page.name} (${page.status}) instead of ${name}`);
    return { web, page, ...(person && { password: person.password }) };
  }
}
