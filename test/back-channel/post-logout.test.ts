import { expect } from 'chai';
import { createLogoutPost } from '../../src/back-channel/index.ts';
import type { PostResult } from '../../src/outgoing/index.ts';

const signal = new AbortController().signal;

describe('the way out for logout tokens', () => {
  const posted: unknown[] = [];
  const giving = (result: PostResult) =>
    createLogoutPost(async (...given) => {
      posted.push(given);
      return result;
    });

  it('posts a form and goes by the status alone', async () => {
    const url = 'https://app.example/logout?app=1';
    expect(await giving({ status: 204 })(url, 'a.b.c', signal)).to.deep.equal({ status: 204 });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(posted).to.deep.equal([[url, headers, 'logout_token=a.b.c', signal]]);
  });

  it('is over with an address that will not do, and with no other failure', async () => {
    const refused = await giving({ error: 'Not public.', refused: true })('https://app.example/', 't', signal);
    expect(refused).to.deep.equal({ error: 'Not public.', final: true });
    const late = await giving({ error: 'Late.', refused: false })('https://app.example/', 't', signal);
    expect(late).to.deep.equal({ error: 'Late.', final: false });
  });
});
