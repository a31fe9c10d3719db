import { expect } from 'chai';
import type { EdgeContext } from '../../src/web/http/context.ts';
import { postAsGet } from '../../src/web/http/post-as-get.ts';
import { startEdge } from './edge-app.ts';

describe('post as get', () => {
  const paths = ['/oauth2/authorize', '/OAUTH2/AUTHORIZE/', '/oauth2/logout', '/oauth2/logout/confirm'];
  const routes = Object.fromEntries(
    paths.map((path) => [path, (ctx: EdgeContext) => postAsGet(ctx as never, async () => undefined)] as const),
  );
  const post = (url: string, body: string): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      body,
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });

  it('sends the browser on with the same parameters, repeated ones too', async () => {
    await using edge = await startEdge({ routes });
    const body = 'client_id=a&resource=https%3A%2F%2Fx%2F&resource=y&state=%0d%0aSet-Cookie:x&q=%23%3F&raw=é';
    for (const path of ['/oauth2/authorize', '/OAUTH2/AUTHORIZE/', '/oauth2/logout']) {
      const answer = await post(edge.url + path, body);
      expect(answer.status).to.equal(303);
      const target = new URL(answer.headers.get('location') ?? '', edge.url);
      expect(target.pathname).to.equal(path.toLowerCase().replace(/\/$/, ''));
      expect([...target.searchParams]).to.deep.equal([...new URLSearchParams(body)]);
      expect(answer.headers.has('set-cookie')).to.equal(false);
    }
    expect((await post(`${edge.url}/oauth2/authorize`, '')).headers.get('location')).to.equal('/oauth2/authorize');
  });

  it('leaves every other post alone and refuses what would not fit', async () => {
    await using edge = await startEdge({ routes });
    expect((await post(`${edge.url}/oauth2/logout/confirm`, 'xsrf=x')).status).to.equal(404);
    expect((await post(`${edge.url}/oauth2/authorize`, `state=${'x'.repeat(13_000)}`)).status).to.equal(413);
  });
});
