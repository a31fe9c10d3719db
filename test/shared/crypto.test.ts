import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import Koa from 'koa';
import { CookieSignatures } from '../../src/shared/cookie-signatures.ts';
import { SecretRing } from '../../src/shared/crypto.ts';

const place = { table: 'totp', id: 'acc_1', column: 'secret' };
const old = 'a'.repeat(40);
const fresh = 'b'.repeat(40);

describe('CookieSignatures', () => {
  /** A server that sets a signed cookie and says what it reads of one. */
  async function ask(keys: Koa['keys'], cookie?: string): Promise<{ text: string; cookies: string }> {
    const app = new Koa();
    app.keys = keys;
    app.use((ctx) => {
      ctx.body = ctx.cookies.get('c', { signed: true }) ?? 'none';
      if (cookie === undefined) ctx.cookies.set('c', 'value', { signed: true });
    });
    const server = app.listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { ...(cookie && { cookie }) } });
      const cookies = answer.headers.getSetCookie().map((line) => line.split(';')[0]);
      return { text: await answer.text(), cookies: cookies.join('; ') };
    } finally {
      server.close();
    }
  }

  it('signs and reads what keygrip does', async () => {
    for (const [writer, reader] of [
      [[old], new CookieSignatures([fresh, old])],
      [new CookieSignatures([old]), [fresh, old]],
    ] as Koa['keys'][][]) {
      const { cookies } = await ask(writer as Koa['keys']);
      const read = await ask(reader as Koa['keys'], cookies);
      expect(read.text).to.equal('value');
      // It was signed with the older key, so the browser is given a new signature.
      expect(read.cookies).to.match(/^c\.sig=/);
    }
  });

  it('takes no other value, name, key or signature', () => {
    const signatures = new CookieSignatures([fresh, old]);
    const signature = new CookieSignatures([old]).sign('c=value');
    expect(signatures.index('c=value', signature)).to.equal(1);
    expect(signatures.verify('c=value', signature)).to.equal(true);
    for (const [data, given] of [
      ['c=other', signature],
      ['d=value', signature],
      ['c=value', new CookieSignatures(['x'.repeat(40)]).sign('c=value')],
      ['c=value', `${signature}x`],
      ['c=value', signature.slice(1)],
      ['c=value', 'ü'.repeat(signature.length)],
      ['c=value', ''],
    ] as const) {
      expect(signatures.verify(data, given), `${data} ${given}`).to.equal(false);
    }
    expect(() => new CookieSignatures([])).to.throw(RangeError);
  });
});

describe('SecretRing', () => {
  it('opens what it sealed, also after a newer secret was put in front', () => {
    const sealed = new SecretRing([old]).seal('JBSWY3DP', place);
    const ring = new SecretRing([fresh, old]);
    expect(ring.open(sealed, place)).to.equal('JBSWY3DP');
    expect(ring.isStale(sealed)).to.equal(true);
    expect(ring.isStale(ring.seal('x', place))).to.equal(false);
  });

  it('refuses a value that was moved to another row, changed, or sealed with a secret it lacks', () => {
    const ring = new SecretRing([old]);
    const sealed = ring.seal('JBSWY3DP', place);
    expect(() => ring.open(sealed, { ...place, id: 'acc_2' })).to.throw();
    expect(() => ring.open(`${sealed.slice(0, -2)}AA`, place)).to.throw();
    expect(() => new SecretRing([fresh]).open(sealed, place)).to.throw(/SALLYPORT_SECRETS/);
  });

  it('keeps MACs of one purpose out of another and accepts those of an older secret', () => {
    const mac = new SecretRing([old]).mac('csrf', 'v');
    const ring = new SecretRing([fresh, old]);
    expect(ring.verifyMac('csrf', 'v', mac)).to.equal(true);
    expect(ring.verifyMac('link', 'v', mac)).to.equal(false);
    expect(ring.verifyMac('csrf', 'w', mac)).to.equal(false);
  });

  it('refuses short secrets and an empty ring', () => {
    expect(() => new SecretRing(['short'])).to.throw(RangeError);
    expect(() => new SecretRing([])).to.throw(RangeError);
  });
});
