import { expect } from 'chai';
import { expectPage } from '../support/web-client.js';
import { addressOn, build, newPerson, reachTokens, readable, signInAt, snippet, startLane, } from './playground-lane.js';
const call = (page) => new URL(page.url.pathname.replace('/tokens', '/calls'), page.url);
describe('playground: code flow', () => {
    let lane;
    before(async () => {
        lane = await startLane();
    });
    after(() => lane[Symbol.asyncDispose]());
    it('leads from the form through the server to verified tokens', async () => {
        const person = newPerson(lane);
        expectPage(await person.app.open('/'), 'playground-build');
        const request = expectPage(await build(person), 'playground-request');
        const address = addressOn(request);
        expect(address.searchParams.get('code_challenge_method')).to.equal('S256');
        expect(address.searchParams.get('redirect_uri')).to.equal(`${lane.playground.origin}/callback`);
        for (const name of ['scope', 'state', 'nonce', 'code_challenge']) {
            expect(readable(request)).to.include(address.searchParams.get(name));
        }
        const answer = expectPage(await person.app.open(await signInAt(person, address)), 'playground-answer');
        expect(answer.text.match(/Good/g)).to.have.length(3);
        const tokens = expectPage(await person.app.submit(answer, {}, 'action'), 'playground-tokens');
        expect(tokens.text).to.include('verified against the issuer’s JWKS');
        expect(tokens.text).not.to.include('Not verified');
        expect(readable(tokens)).to.include('"ann@example.com"');
        expect(snippet(tokens, 'Request'))
            .to.match(/^POST \/token HTTP\/1.1\n/)
            .and.include('&code_verifier=');
        expect(JSON.parse(snippet(tokens, /^Response/).split('\n\n')[1] ?? '{}')).to.include.keys('access_token', 'id_token', 'refresh_token');
    });
    it('shows what a claim says, never runs it', async () => {
        const tokens = await reachTokens(newPerson(lane));
        expect(tokens.text).to.include('Ann &lt;b&gt;Example&lt;/b&gt;');
        expect(tokens.text).not.to.include('<b>Example');
    });
    it('asks UserInfo, introspects, refreshes and revokes', async () => {
        const person = newPerson(lane);
        const tokens = await reachTokens(person);
        const post = (fields) => person.app.post(call(tokens), fields);
        expect(readable(await post({ action: 'userinfo' }))).to.match(/GET \/me HTTP.*"email": "ann@example.com"/);
        expect(readable(await post({ action: 'introspect', token: 'access_token' }))).to.match(/"active": true/);
        const first = snippet(tokens, 'As it is sent');
        const refreshed = await post({ action: 'refresh' });
        expect(readable(refreshed)).to.include('There is a new refresh token too');
        expect(snippet(refreshed, 'As it is sent')).not.to.equal(first);
        expect(readable(await post({ action: 'revoke', token: 'refresh_token' }))).to.include('Done. Introspect it now');
        expect(readable(await post({ action: 'introspect', token: 'refresh_token' }))).to.match(/"active": false/);
        expect(readable(await post({ action: 'refresh' }))).to.match(/refused the request: invalid_grant.*Start a new run/);
        expect((await post({ action: 'something else' })).status).to.equal(400);
    });
    it('signs the person out at the server and recognises the way back', async () => {
        const person = newPerson(lane);
        const tokens = await reachTokens(person);
        const leaving = await person.app.post(new URL(tokens.url.pathname.replace('/tokens', '/sign-out'), tokens.url), {});
        expect(leaving.url.origin).to.equal(lane.stock.issuer);
        expect(leaving.url.searchParams.get('id_token_hint')).to.be.a('string');
        const confirm = await person.issuer.open(leaving.url);
        const back = await person.issuer.submit(confirm, { logout: 'yes' }, 'xsrf');
        expect(back.url.origin).to.equal(lane.playground.origin);
        expect(readable(await person.app.open(back.url))).to.include('Signed out at the server');
        expect(readable(await person.app.open('/?state=of-somebody-else'))).not.to.include('Signed out at the server');
    });
    it('pushes the request and binds the tokens when asked to', async () => {
        const person = newPerson(lane);
        const request = await build(person, { par: 'on', dpop: 'on' });
        expect([...addressOn(request).searchParams.keys()]).to.have.members(['client_id', 'request_uri']);
        expect(readable(request)).to.match(/POST \/request HTTP\/1.1.*201 Created/);
        const answer = await person.app.open(await signInAt(person, addressOn(request)));
        const tokens = expectPage(await person.app.submit(answer, {}, 'action'), 'playground-tokens');
        expect(readable(tokens)).to.match(/Access token DPoP, expires in/);
        const userinfo = await person.app.post(call(tokens), { action: 'userinfo' });
        expect(readable(userinfo)).to.match(/authorization: DPoP .*HTTP\/1.1 200 OK/);
    });
    it('verifies an access token for an API and says how the API does it', async () => {
        const tokens = await reachTokens(newPerson(lane), {
            resource: lane.stock.apiIdentifier,
            more_scopes: 'notes:read',
        });
        expect(tokens.text.match(/verified against the issuer’s JWKS/g)).to.have.length(2);
        expect(readable(tokens)).to.match(/scope "notes:read"/);
        expect(snippet(tokens, 'Node, jose')).to.include(`audience: '${lane.stock.apiIdentifier}'`);
        expect(readable(tokens)).not.to.include('Ask UserInfo');
    });
    it('explains an error that the server sends back, and exchanges nothing', async () => {
        const person = newPerson(lane);
        const url = await signInAt(person, addressOn(await build(person, { prompt: 'none' })));
        const answer = await person.app.open(url);
        expect(readable(answer)).to.match(/login_required.*Nobody is signed in and prompt=none forbids to ask/);
        expect(answer.text).not.to.include('Exchange the code');
        const forced = await person.app.post(new URL(answer.url.pathname.replace('/answer', '/tokens'), answer.url), {});
        expect(forced.status).to.equal(409);
    });
    it('shows what the server says when it refuses a pushed request', async () => {
        const page = await build(newPerson(lane), { par: 'on', resource: 'urn:x', claims: '{"id_token":5}' });
        expect(page.status).to.equal(502);
        expect(readable(page)).to.match(/pushed request was refused.*invalid_request/);
        expect(page.text).to.include('value="urn:x"');
    });
});
describe('playground: answers that an app has to refuse', () => {
    let lane;
    before(async () => {
        lane = await startLane();
    });
    after(() => lane[Symbol.asyncDispose]());
    it('refuses an unknown state, a repeated one and one of another browser', async () => {
        const [person, other] = [newPerson(lane), newPerson(lane)];
        const url = await signInAt(person, addressOn(await build(person)));
        await build(other);
        expect((await other.app.open(url)).status).to.equal(403);
        url.searchParams.append('state', 'another');
        expect((await person.app.open(url)).status).to.equal(403);
        url.searchParams.delete('state');
        expect((await person.app.open(url)).status).to.equal(403);
    });
    for (const [name, spoil] of [
        ['another issuer', (url) => url.searchParams.set('iss', 'https://evil.example')],
        ['no issuer', (url) => url.searchParams.delete('iss')],
        ['two codes', (url) => url.searchParams.append('code', 'another')],
    ]) {
        it(`refuses an answer with ${name}`, async () => {
            const person = newPerson(lane);
            const url = await signInAt(person, addressOn(await build(person)));
            spoil(url);
            const answer = expectPage(await person.app.open(url), 'playground-answer');
            expect(readable(answer)).to.include('That is not so');
            expect(answer.text).not.to.include('Exchange the code');
            const forced = await person.app.post(new URL(answer.url.pathname.replace('/answer', '/tokens'), answer.url), {});
            expect(forced.status).to.equal(409);
        });
    }
    it('keeps the first answer of a run, whatever is opened later', async () => {
        const person = newPerson(lane);
        const url = await signInAt(person, addressOn(await build(person)));
        await person.app.open(url);
        const forged = new URL(url);
        forged.searchParams.set('code', 'stolen');
        const answer = await person.app.open(forged);
        expect(snippet(answer, 'Address')).to.equal(url.href);
    });
    it('says what went wrong when the code is no good', async () => {
        const person = newPerson(lane);
        const url = await signInAt(person, addressOn(await build(person)));
        url.searchParams.set('code', 'made-up');
        const answer = await person.app.open(url);
        const refused = expectPage(await person.app.submit(answer, {}, 'action'), 'playground-answer');
        expect(readable(refused)).to.match(/refused the request: invalid_grant.*POST \/token/);
    });
    it('hides runs from other browsers', async () => {
        const [person, other] = [newPerson(lane), newPerson(lane)];
        const tokens = await reachTokens(person);
        expect((await other.app.open(tokens.url)).status).to.equal(404);
        await build(other);
        expect((await other.app.open(tokens.url)).status).to.equal(404);
        expect((await other.app.post(call(tokens), { action: 'revoke' })).status).to.equal(404);
    });
});
