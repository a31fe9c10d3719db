import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { resolve } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import Koa from 'koa';
import { createAssets } from '../../src/web/http/assets.js';
const directory = resolve(import.meta.dirname, '../../views/assets');
const css = readFileSync(resolve(directory, 'sallyport.css'));
describe('assets', () => {
    const assets = createAssets(directory);
    let server;
    before(async () => {
        server = createServer(new Koa().use(assets.middleware).callback());
        await new Promise((done) => server.listen(0, '127.0.0.1', done));
    });
    after(() => {
        server.close();
    });
    /** Sends the path as it is: `fetch` would tidy it first. */
    const get = (path, headers = {}, method = 'GET') => new Promise((done, fail) => {
        const { port } = server.address();
        const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, async (response) => {
            const chunks = [];
            for await (const chunk of response)
                chunks.push(chunk);
            done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
        });
        sent.on('error', fail).end();
    });
    it('serves each file under a name that carries its hash, for a year', async () => {
        expect(assets.url('sallyport.css')).to.match(/^\/assets\/sallyport\.[0-9a-f]{12}\.css$/);
        const { status, headers, body } = await get(assets.url('sallyport.css'));
        expect(status).to.equal(200);
        expect(headers['content-type']).to.equal('text/css; charset=utf-8');
        expect(headers['cache-control']).to.equal('public, max-age=31536000, immutable');
        expect(headers.vary).to.equal('Accept-Encoding');
        expect(body.equals(css)).to.equal(true);
        expect((await get(assets.url('page.js'))).headers['content-type']).to.equal('text/javascript; charset=utf-8');
        expect(() => assets.url('missing.css')).to.throw(RangeError);
    });
    it('compresses for who can read it', async () => {
        const brotli = await get(assets.url('sallyport.css'), { 'accept-encoding': 'gzip, br' });
        expect(brotli.headers['content-encoding']).to.equal('br');
        expect(brotliDecompressSync(brotli.body).equals(css)).to.equal(true);
        const gzip = await get(assets.url('sallyport.css'), { 'accept-encoding': 'gzip' });
        expect(gzip.headers['content-encoding']).to.equal('gzip');
        expect(gunzipSync(gzip.body).equals(css)).to.equal(true);
        const head = await get(assets.url('sallyport.css'), { 'accept-encoding': 'br' }, 'HEAD');
        expect(head.body).to.have.length(0);
        expect(head.headers['content-length']).to.equal(String(brotli.body.length));
    });
    it('answers both names of the icon', async () => {
        for (const path of ['/favicon.svg', '/favicon.ico']) {
            const { status, headers } = await get(path);
            expect(status, path).to.equal(200);
            expect(headers['content-type'], path).to.equal('image/svg+xml');
            expect(headers['cache-control'], path).to.equal('public, max-age=86400');
        }
    });
    it('knows no other path', async () => {
        const url = assets.url('sallyport.css');
        const strange = [
            '/assets/sallyport.css',
            '/assets/',
            '/assets',
            '/assets/../package.json',
            '/assets/..%2f..%2fpackage.json',
            '/assets/%2e%2e/layout.ejs',
            '/assets//sallyport.css',
            `${url}/`,
            `${url}%00`,
            url.toUpperCase(),
            url.replace('/assets/', '/assets/./'),
            url.replace(/\.[0-9a-f]{12}\./, '.000000000000.'),
            '/assets/constructor',
            '/assets/__proto__',
        ];
        for (const path of strange)
            expect((await get(path)).status, path).to.equal(404);
        for (const method of ['POST', 'PUT', 'DELETE'])
            expect((await get(url, {}, method)).status, method).to.equal(404);
    });
});
