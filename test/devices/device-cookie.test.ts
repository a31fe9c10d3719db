import { expect } from 'chai';
import Koa from 'koa';
import { createDeviceCookie } from '../../src/web/device-cookie.ts';

/** What one request makes of its cookies. */
async function ask(
  secure: boolean,
  cookie: string,
  work: (cookies: ReturnType<typeof createDeviceCookie>, ctx: Koa.Context) => void,
) {
  const app = new Koa();
  const cookies = createDeviceCookie(secure);
  app.use((ctx) => {
    // A proxy in front ends TLS.
    ctx.cookies.secure = true;
    work(cookies, ctx);
    ctx.body = 'ok';
  });
  const server = app.listen(0, '127.0.0.1');
  try {
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie } });
    return answer.headers.getSetCookie();
  } finally {
    server.close();
  }
}

describe('the device cookie', () => {
  it('is given once, for 400 days, where only we can set and read it', async () => {
    const [line = '', ...more] = await ask(true, '', (cookies, ctx) => {
      expect(cookies.ensure(ctx)).to.equal(cookies.ensure(ctx)).and.to.equal(cookies.read(ctx));
    });
    expect(more).to.deep.equal([]);
    expect(line).to.match(/^__Host-sp_device=[\w-]{22}; path=\/; /);
    expect(line)
      .to.match(/; secure/)
      .and.match(/; httponly/)
      .and.match(/; samesite=lax/)
      .and.not.match(/domain/i);
    const days = (Date.parse(/expires=([^;]+)/.exec(line)?.[1] ?? '') - Date.now()) / 86_400_000;
    expect(days).to.be.within(399, 400);
  });

  it('stays what it is, and is given anew when it is none of ours', async () => {
    const id = 'abcdefghijklmnopqrst_-';
    expect(
      await ask(false, `sp_device=${id}`, (cookies, ctx) => expect(cookies.ensure(ctx)).to.equal(id)),
    ).to.deep.equal([]);
    const [renewed] = await ask(false, `sp_device=${id}`, (cookies, ctx) => expect(cookies.renew(ctx)).to.equal(id));
    expect(renewed).to.match(new RegExp(`^sp_device=${id}; `));
    for (const broken of ['x', `${id}x`, '', '"><script>']) {
      const lines = await ask(false, `sp_device=${broken}`, (cookies, ctx) => {
        expect(cookies.read(ctx)).to.equal(undefined);
        cookies.ensure(ctx);
      });
      expect(lines).to.have.length(1);
    }
  });

  it('has tokens beside it, one for each account, that can be taken away', async () => {
    const [line = '', other = ''] = await ask(true, '', (cookies, ctx) => {
      cookies.writeRemembered(ctx, 'acc_1', 'token.one', 30);
      cookies.writeRemembered(ctx, 'acc_2', 'token.two', 30);
    });
    expect(line)
      .to.match(/^__Host-sp_known_[\w-]{10}=token\.one; /)
      .and.match(/httponly/);
    const cookie = [line, other].map((text) => text.split(';')[0]).join('; ');
    const [gone = ''] = await ask(true, cookie, (cookies, ctx) => {
      expect(cookies.readRemembered(ctx, 'acc_1')).to.equal('token.one');
      expect(cookies.readRemembered(ctx, 'acc_2')).to.equal('token.two');
      expect(cookies.readRemembered(ctx, 'acc_3')).to.equal(undefined);
      cookies.writeRemembered(ctx, 'acc_1', undefined, 30);
    });
    expect(gone)
      .to.match(/^__Host-sp_known_[\w-]{10}=; /)
      .and.match(/expires=Thu, 01 Jan 1970/);
  });
});
