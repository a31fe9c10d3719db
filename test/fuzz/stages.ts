import type { Client } from '../../src/clients/index.ts';
import { createPerson, enrolTotp } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import type { RunningApp } from '../support/start-app.ts';
import { type Page, signInBase, WebClient } from '../support/web-client.ts';

/** How far a person has come when somebody starts to send nonsense in their name. */
export type StageName = 'login' | 'totp' | 'enroll-totp' | 'consent';

/** An open sign-in: where it is, whose browser it is, and the token of its form. */
export interface Stage {
  readonly base: string;
  readonly cookies: string;
  readonly csrf: string;
}

interface Open {
  readonly web: WebClient;
  readonly page: Page;
}

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
    const open = kept && page?.name === name ? { web: kept.web, page } : await this.#advance(name);
    this.#open.set(name, open);
    return {
      base: signInBase(open.page),
      cookies: [...open.web.cookies()].map(([key, value]) => `${key}=${value}`).join('; '),
      csrf: /name="csrf" value="([^"]+)"/.exec(open.page.text)?.[1] ?? '',
    };
  }

  async #advance(name: StageName): Promise<Open> {
    const web = new WebClient(this.#running.url);
    const { url } = await (name === 'enroll-totp' ? this.#strictParty : this.#party).request();
    let page = await web.open(url);
    if (name !== 'login') {
      const person = await createPerson(this.#running);
      if (name === 'totp') await enrolTotp(this.#running, person.account.id, person.login);
      page = await signIn(web, page, person);
    }
    if (page.name !== name) throw new Error(`the sign-in came to ${page.name} (${page.status}) instead of ${name}`);
    return { web, page };
  }
}
