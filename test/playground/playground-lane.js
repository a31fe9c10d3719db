import { join } from 'node:path';
import { startPlayground } from '../../src/playground/index.js';
import { silentLogger } from '../../src/shared/logger.js';
import { WebClient } from '../support/web-client.js';
import { startStockIssuer } from './stock-issuer.js';
export const viewsDir = join(import.meta.dirname, '..', '..', 'views');
const machine = { clientId: 'machine', clientSecret: 'secret & of=machine+'.repeat(2) };
/** Every client that the stock issuer knows. */
export const stockClients = {
    playground: { clientId: 'playground' },
    device: { clientId: 'television' },
    machine,
    introspection: machine,
};
/** A playground with a stock oidc-provider as its issuer. */
export async function startLane(clients = stockClients) {
    let origin = '';
    const stock = await startStockIssuer(() => origin);
    const playground = await startPlayground({
        issuer: stock.issuer,
        port: 0,
        host: '127.0.0.1',
        viewsDir,
        logger: silentLogger(),
        clients,
        apis: [{ identifier: stock.apiIdentifier, name: 'Notes', scopes: ['notes:read'] }],
    });
    origin = playground.origin;
    return {
        playground,
        stock,
        async [Symbol.asyncDispose]() {
            await playground[Symbol.asyncDispose]();
            await stock[Symbol.asyncDispose]();
        },
    };
}
export const newPerson = ({ playground, stock }) => ({
    app: new WebClient(playground.origin),
    issuer: new WebClient(stock.issuer),
});
/** Sends the form of step 1 with its default scopes. */
export const build = (person, fields = {}) => person.app.post('/runs', {
    'scope-openid': 'on',
    'scope-profile': 'on',
    'scope-email': 'on',
    'scope-offline_access': 'on',
    prompt: 'consent',
    ...fields,
});
/** The address that step 2 offers. */
export function addressOn(page) {
    const found = /<a class="button primary" href="([^"]+)"/.exec(page.text)?.[1];
    if (!found)
        throw new Error(`no address on ${page.url.pathname}\n${page.text}`);
    return new URL(found.replaceAll('&amp;', '&'));
}
/** Goes through the issuer's pages and gives the address that it sends the browser back to. */
export async function signInAt(person, address) {
    let page = await person.issuer.open(address);
    for (let step = 0; step < 4 && page.url.origin === person.issuer.origin; step += 1) {
        page = page.text.includes('name="login"')
            ? await person.issuer.submit(page, { login: 'ann', password: 'x' }, 'login')
            : await person.issuer.submit(page, {}, 'prompt');
    }
    return page.url;
}
/** The whole flow to step 4. */
export async function reachTokens(person, fields = {}) {
    const answer = await person.app.open(await signInAt(person, addressOn(await build(person, fields))));
    return person.app.submit(answer, {}, 'action');
}
/** Text as a person reads it: without tags, entities decoded. */
export const readable = (page) => page.text
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#34;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
/** The text of the snippet with this label, as the copy button copies it; the last one when there are several. */
export function snippet(page, label) {
    const found = [
        ...page.text.matchAll(/<span class="label">([^<]*)<\/span>[\s\S]*?<code id="[^"]*">([\s\S]*?)<\/code>/g),
    ]
        .filter(([, name = '']) => (typeof label === 'string' ? name === label : label.test(name)))
        .at(-1)?.[2];
    if (found === undefined)
        throw new Error(`no snippet ${label} on ${page.url.pathname}\n${readable(page)}`);
    return found
        .replaceAll('&#34;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&amp;', '&');
}
