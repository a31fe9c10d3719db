import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { curlOf } from '../../src/playground/curl.js';
import { codeFor } from '../../src/playground/snippets.js';
import { addressOn, build, newPerson, reachTokens, signInAt, snippet, startLane, } from './playground-lane.js';
const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
/** Runs a snippet as a module of a project that has openid-client, and gives what it prints. */
const runCode = async (code) => (await run(process.execPath, ['--input-type=module', '--eval', code], { cwd: root })).stdout;
/** Runs a curl command in a shell where curl prints its arguments. */
async function argumentsOf(command) {
    const { stdout } = await run('sh', ['-c', `curl() { for one in "$@"; do printf '%s\\0' "$one"; done; }\n${command}`]);
    return stdout.split('\0').slice(0, -1);
}
describe('playground: commands and code to copy', () => {
    let lane;
    before(async () => {
        lane = await startLane();
    });
    after(() => lane[Symbol.asyncDispose]());
    it('quotes every value for the shell', async () => {
        const body = new URLSearchParams({ scope: "a 'b' $(touch x) `y`", note: 'two\nlines & more' }).toString();
        const headers = [
            ['dpop', "it's"],
            ['authorization', 'Basic YXBwOnMzY3JldA=='],
            ['content-type', 'text/plain'],
        ];
        const command = curlOf({
            request: { method: 'POST', url: 'http://localhost/a?b=c&d', headers, body },
            milliseconds: 1,
        });
        expect(await argumentsOf(command)).to.deep.equal([
            'http://localhost/a?b=c&d',
            '-H',
            "dpop: it's",
            '-u',
            'app:s3cret',
            '--data-urlencode',
            "scope=a 'b' $(touch x) `y`",
            '--data-urlencode',
            'note=two\nlines & more',
        ]);
    });
    it('leaves credentials that need form-encoding in the header, because -u does not encode', async () => {
        const authorization = `Basic ${Buffer.from('app:with%20space').toString('base64')}`;
        const request = {
            method: 'POST',
            url: 'http://localhost/',
            headers: [['authorization', authorization]],
            body: '',
        };
        expect(await argumentsOf(curlOf({ request, milliseconds: 1 }))).to.include(`authorization: ${authorization}`);
    });
    it('escapes values in code', async () => {
        const code = codeFor.machine({ issuer: lane.stock.issuer, clientId: 'x' }, { scope: "a\\'); process.exit(7); ('\n" });
        const literal = /scope: ('.*'),/.exec(code)?.[1];
        expect(await runCode(`process.stdout.write(${literal})`)).to.equal("a\\'); process.exit(7); ('\n");
    });
    it('builds an address that the server takes, with a request of its own', async () => {
        const code = snippet(await build(newPerson(lane)), 'Node, openid-client');
        const address = new URL(await runCode(`${code}\nprocess.stdout.write(url.href);`));
        expect(address.searchParams.get('prompt')).to.equal('consent');
        const back = await signInAt(newPerson(lane), address);
        expect(back.searchParams.get('code')).to.be.a('string');
    });
    it('pushes a request by code', async () => {
        const code = snippet(await build(newPerson(lane), { par: 'on' }), 'Node, openid-client');
        expect(await runCode(`${code}\nprocess.stdout.write(url.href);`)).to.include('request_uri=urn');
    });
    it('exchanges the code by code and by curl', async () => {
        for (const by of ['Node, openid-client', 'curl']) {
            const person = newPerson(lane);
            const answer = await person.app.open(await signInAt(person, addressOn(await build(person, { max_age: '300' }))));
            const text = snippet(answer, by);
            if (by !== 'curl') {
                expect(await runCode(text)).to.include("email: 'ann@example.com'");
                continue;
            }
            const [url = '', ...rest] = await argumentsOf(text);
            const body = new URLSearchParams(rest
                .filter((one) => one !== '--data-urlencode')
                .map((one) => {
                const split = one.indexOf('=');
                return [one.slice(0, split), one.slice(split + 1)];
            }));
            expect(await (await fetch(url, { method: 'POST', body })).json()).to.include.keys('access_token', 'id_token');
        }
    });
    it('does by code what the buttons of step 4 do', async () => {
        const person = newPerson(lane);
        const tokens = await reachTokens(person);
        const calls = new URL(tokens.url.pathname.replace('/tokens', '/calls'), tokens.url);
        // Earlier calls come last on the page, so the first snippet is the latest one.
        const latest = async (fields) => {
            const page = await person.app.post(calls, fields);
            return snippet({ ...page, text: page.text.slice(0, page.text.indexOf('id="id-token"')) }, 'Node, openid-client');
        };
        expect(await runCode(await latest({ action: 'userinfo' }))).to.include('ann@example.com');
        expect(await runCode(await latest({ action: 'introspect', token: 'access_token' }))).to.match(/^true/);
        await runCode(await latest({ action: 'revoke', token: 'access_token' }));
        expect(await runCode(await latest({ action: 'introspect', token: 'access_token' }))).to.match(/^false/);
    });
    it('gets a machine token by code and verifies it as an API would', async () => {
        const page = await newPerson(lane).app.post('/machine', {
            scope: 'notes:read',
            resource: lane.stock.apiIdentifier,
        });
        expect(await runCode(snippet(page, 'Node, openid-client'))).to.match(/^eyJ/);
        expect(await runCode(snippet(page, 'Node, jose'))).to.equal('machine notes:read\n');
    });
});
