import { expect } from 'chai';
import type { EdgeContext } from '../../src/web/http/context.ts';
import { startEdge } from './edge-app.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text, 'latin1').toString('base64')}`;

describe('input guard', () => {
  it('refuses NUL wherever a parameter may come from', async () => {
    const answer = (ctx: EdgeContext): void => {
      ctx.body = {};
    };
    await using edge = await startEdge({ routes: { '/api/v1/x': answer } });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const json = { 'content-type': 'application/json' };
    const hostile: [string, RequestInit][] = [
      ['/facts?client_id=%00', {}],
      ['/facts?a=b%00c', {}],
      ['/sign-in/%00/login', {}],
      ['/oauth2/token', { method: 'POST', headers: form, body: 'client_id=a%00' }],
      ['/oauth2/token', { method: 'POST', headers: form, body: 'client_id=a\0' }],
      ['/oauth2/token', { method: 'POST', headers: { authorization: basic('a\0b:c') } }],
      ['/oauth2/token', { method: 'POST', headers: { authorization: basic('a%00b:c').replace('Basic', 'bAsIc ') } }],
      ['/api/v1/x', { method: 'POST', headers: json, body: '{"name":"\\u0000"}' }],
    ];
    for (const [path, init] of hostile) {
      expect((await fetch(edge.url + path, init)).status, `${path} ${JSON.stringify(init)}`).to.equal(400);
    }
    expect(edge.seen).to.have.length(0);
  });

  it('lets through what only looks like it', async () => {
    await using edge = await startEdge();
    const harmless: [string, RequestInit][] = [
      ['/facts?a=%2500&b=%0A', {}],
      ['/oauth2/token', { method: 'POST', headers: { authorization: basic('a:b') } }],
      ['/oauth2/token', { method: 'POST', headers: { authorization: 'Basic !!' } }],
      ['/oauth2/token', { method: 'POST', headers: { authorization: 'Bearer AAAA' } }],
    ];
    for (const [path, init] of harmless) {
      expect((await fetch(edge.url + path, init)).status, `${path} ${JSON.stringify(init)}`).to.equal(200);
    }
  });
});
