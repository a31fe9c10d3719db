import { expect } from 'chai';
import { startEdge } from './edge-app.ts';

interface Start {
  readonly token: string;
  readonly cookie: string;
}

async function open(url: string, cookie = ''): Promise<Start & { readonly set: string[] }> {
  const answer = await fetch(`${url}/csrf`, { headers: { cookie } });
  const set = answer.headers.getSetCookie();
  const { token, again } = (await answer.json()) as { token: string; again: string };
  expect(again).to.equal(token);
  return { token, cookie: set[0]?.split(';')[0] ?? cookie, set };
}

function post(url: string, fields: Record<string, string>, headers: Record<string, string>): Promise<Response> {
  return fetch(`${url}/csrf`, { method: 'POST', body: new URLSearchParams(fields), headers });
}

describe('csrf', () => {
  it('accepts a form of our own page, also from a second tab', async () => {
    await using edge = await startEdge();
    const first = await open(edge.url);
    const second = await open(edge.url, first.cookie);
    expect(second.set).to.deep.equal([]);
    for (const { token } of [first, second]) {
      for (const headers of [
        {},
        { Origin: edge.url },
        { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' },
        { 'Sec-Fetch-Site': 'none' },
      ]) {
        const answer = await post(edge.url, { csrf: token }, { ...headers, cookie: first.cookie } as Record<
          string,
          string
        >);
        expect(answer.status, JSON.stringify(headers)).to.equal(200);
      }
    }
  });

  it('names and locks the cookie as the issuer allows', async () => {
    await using plain = await startEdge();
    expect((await open(plain.url)).set[0]).to.match(/^sp_csrf=[\w-]{43}; path=\/; samesite=lax; httponly$/);
    await using tls = await startEdge({ issuer: 'https://id.example.com' });
    const { exchange } = await import('./raw-http.ts');
    const { answers } = await exchange(tls.port, ['GET /csrf HTTP/1.1\r\nHost: id.example.com\r\n\r\n']);
    expect(answers[0]?.headers.get('set-cookie')).to.match(
      /^__Host-sp_csrf=[\w-]{43}; path=\/; samesite=lax; secure; httponly$/,
    );
  });

  it('refuses a form without token, without cookie, or with those of two browsers', async () => {
    await using edge = await startEdge();
    const [mine, theirs] = [await open(edge.url), await open(edge.url)];
    const cases: [string, Record<string, string>, Record<string, string>][] = [
      ['no token', {}, { cookie: mine.cookie }],
      ['empty token', { csrf: '' }, { cookie: mine.cookie }],
      ['no cookie', { csrf: mine.token }, {}],
      ['foreign token', { csrf: theirs.token }, { cookie: mine.cookie }],
      ['foreign cookie', { csrf: mine.token }, { cookie: theirs.cookie }],
      ['cookie as token', { csrf: mine.cookie.split('=')[1] ?? '' }, { cookie: mine.cookie }],
      ['cookie of the wrong shape', { csrf: mine.token }, { cookie: `${mine.cookie}x` }],
      [
        'changed token',
        { csrf: `${mine.token.slice(0, -1)}${mine.token.endsWith('A') ? 'B' : 'A'}` },
        { cookie: mine.cookie },
      ],
    ];
    for (const [name, fields, headers] of cases) {
      const answer = await post(edge.url, fields, headers);
      expect(answer.status, name).to.equal(403);
      expect(await answer.text(), name).to.include('reload the page');
    }
  });

  it('refuses a form that another site sent, even with the right token', async () => {
    await using edge = await startEdge();
    const { token, cookie } = await open(edge.url);
    const strangers: Record<string, string>[] = [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://evil.example' },
      { Origin: `${edge.url}.evil.example` },
      { Origin: 'http://localhost' },
      { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' },
    ];
    for (const headers of strangers) {
      const answer = await post(edge.url, { csrf: token }, { ...headers, cookie });
      expect(answer.status, JSON.stringify(headers)).to.equal(403);
    }
  });
});
