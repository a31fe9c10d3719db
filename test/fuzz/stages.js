import { createPerson, enrolTotp } from '../support/people.js';
import { RelyingParty, signIn } from '../support/relying-party.js';
import { WebClient } from '../support/web-client.js';
/** Keeps one open sign-in per stage and opens another one when nonsense has ended it. */
export class Stages {
    #running;
    #party;
    #strictParty;
    #open = new Map();
    constructor(running, party, strictParty) {
        this.#running = running;
        this.#party = party;
        this.#strictParty = strictParty;
    }
    /** @param strict a client that demands a second factor, so that people without one have to enrol. */
    static async create(running, client, strict) {
        const discover = ({ id }) => RelyingParty.discover({
            issuer: running.url,
            clientId: id,
            auth: () => undefined,
            redirectUri: 'https://app.example/cb',
        });
        return new Stages(running, await discover(client), await discover(strict));
    }
    async at(name) {
        const kept = this.#open.get(name);
        const page = kept && (await kept.web.open(kept.page.url));
        const open = kept && page?.name === name ? { web: kept.web, page } : await this.#advance(name);
        this.#open.set(name, open);
        return {
            base: open.page.url.pathname.split('/').slice(0, 3).join('/'),
            cookies: [...open.web.cookies()].map(([key, value]) => `${key}=${value}`).join('; '),
            csrf: /name="csrf" value="([^"]+)"/.exec(open.page.text)?.[1] ?? '',
        };
    }
    async #advance(name) {
        const web = new WebClient(this.#running.url);
        const { url } = await (name === 'enroll-totp' ? this.#strictParty : this.#party).request();
        let page = await web.open(url);
        if (name !== 'login') {
            const person = await createPerson(this.#running);
            if (name === 'totp')
                await enrolTotp(this.#running, person.account.id, person.login);
            page = await signIn(web, page, person);
        }
        if (page.name !== name)
            throw new Error(`the sign-in came to ${page.name} (${page.status}) instead of ${name}`);
        return { web, page };
    }
}
