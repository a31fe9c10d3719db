import { expect } from 'chai';
import type { Context } from 'koa';
import type { Account } from '../../src/accounts/index.ts';
import type { ConsoleSignIn, CurrentSession } from '../../src/oidc/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import type { AppError } from '../../src/shared/errors.ts';
import { asAccountId } from '../../src/shared/ids.ts';
import { type ConsoleRule, createConsoleGuard } from '../../src/web/console/console-guard.ts';
import { initialsOf } from '../../src/web/console/console-shell.ts';
import { createSignInState } from '../../src/web/console/sign-in-state.ts';

const issuer = 'https://id.example';
const id = asAccountId('acc_1');
const account = {
  id,
  email: 'mara@fernhill.example',
  status: 'active',
  roles: ['admin'],
  profile: {},
} as unknown as Account;

/** As much of a request as the guard looks at, with one browser's cookies. */
function requestOf(method: string, url: string, jar = new Map<string, string>()): Context & { location?: string } {
  return {
    method,
    url,
    state: { requestId: 'req_1' },
    cookies: { get: (name: string) => jar.get(name), set: (name: string, value: string) => jar.set(name, value) },
    redirect(this: { location?: string }, to: string) {
      this.location = to;
    },
  } as unknown as Context & { location?: string };
}

describe('the guard of our consoles', () => {
  const clock = new FixedClock();
  const now = Math.floor(clock.now() / 1000);
  const secrets = new SecretRing(['a secret for tests with 32 characters']);
  const state = createSignInState({ secrets, clock, issuer, secureCookies: true, lifeSeconds: 3600 });
  const live: CurrentSession = { uid: 'u', accountId: id, amr: ['pwd'], acr: 'aal1', authTime: now - 500 };

  async function visit(
    ctx: Context & { location?: string },
    {
      session = live,
      person = account,
      totp = false,
      ...rule
    }: Partial<ConsoleRule> & {
      session?: CurrentSession | undefined | null;
      person?: Account | undefined;
      totp?: boolean;
    } = {},
  ) {
    const asked: ConsoleSignIn[] = [];
    const shown: string[] = [];
    let passed = false;
    const guard = createConsoleGuard({
      sessions: {
        current: async () => session ?? undefined,
        signInUrl: (wanted) => {
          asked.push(wanted);
          return '/oauth2/authorize?x';
        },
      },
      state,
      accounts: { find: async () => person },
      hasSecondFactor: async () => totp,
      pages: { show: async (_ctx, page) => void shown.push(page) },
      clock,
      issuer,
    });
    await guard({ home: '/admin', ...rule }, async () => {
      passed = true;
    })(ctx);
    return { passed, asked: asked[0], shown };
  }

  it('lets a live session of an active account in', async () => {
    expect((await visit(requestOf('GET', '/admin'), { role: 'admin' })).passed).to.equal(true);
    expect((await visit(requestOf('POST', '/admin'), { maxAge: 500 })).passed).to.equal(true);
  });

  it('starts a sign-in for a page and refuses a post', async () => {
    for (const lacking of [
      { session: null },
      { person: { ...account, status: 'suspended' as const } },
      { totp: true },
      { maxAge: 499 },
    ]) {
      const page = requestOf('GET', '/admin/users?after=1');
      const { passed, asked } = await visit(page, lacking);
      expect([passed, page.status, page.location]).to.deep.equal([false, 303, '/oauth2/authorize?x']);
      expect(asked?.acr).to.equal('totp' in lacking ? 'aal2' : undefined);
      expect(asked?.maxAge).to.equal('maxAge' in lacking ? 499 : undefined);
      const refusal = await visit(requestOf('POST', '/admin/users'), lacking).catch((error: unknown) => error);
      expect((refusal as AppError).code).to.equal('unauthenticated');
    }
  });

  it('asks for nothing more of a session that has the second factor', async () => {
    const session: CurrentSession = { ...live, acr: 'aal2' };
    expect((await visit(requestOf('GET', '/admin'), { session, totp: true })).passed).to.equal(true);
  });

  it('treats a session that does not say when it began as an old one', async () => {
    const { authTime: _unknown, ...session } = live;
    expect((await visit(requestOf('GET', '/admin'), { session, maxAge: 86_400 })).passed).to.equal(false);
  });

  it('shows the page about the missing role, for posts too', async () => {
    const person = { ...account, roles: ['administrator'] };
    for (const method of ['GET', 'POST']) {
      const { passed, shown } = await visit(requestOf(method, '/admin'), { role: 'admin', person });
      expect([passed, shown]).to.deep.equal([false, ['denied']]);
    }
  });

  it('goes back home from an address that it cannot go back to', async () => {
    const ctx = requestOf('GET', '/ADMIN/x');
    const jar = new Map<string, string>();
    const { asked } = await visit(requestOf('GET', ctx.url, jar), { session: null });
    expect(state.read(requestOf('GET', '/', jar), asked?.state ?? '')).to.equal('/admin');
  });

  it('makes states that one browser can use until they are old', () => {
    const jar = new Map<string, string>();
    const [one, two] = ['/admin?a', '/admin?b'].map((path) => state.issue(requestOf('GET', path, jar), path));
    expect([...jar.keys()]).to.deep.equal(['__Host-sp_console']);
    const here = requestOf('GET', '/console/callback', jar);
    expect([state.read(here, one ?? ''), state.read(here, two ?? '')]).to.deep.equal(['/admin?a', '/admin?b']);
    for (const forged of [
      '',
      '.',
      'x.y',
      `${one}x`,
      `x${one}`,
      `${(one ?? '').split('.')[0]}.${(two ?? '').split('.')[1]}`,
    ]) {
      expect(state.read(here, forged), forged).to.equal(undefined);
    }
    const another = new Map([['__Host-sp_console', 'x'.repeat(43)]]);
    expect(state.read(requestOf('GET', '/', another), one ?? '')).to.equal(undefined);
    const rotated = createSignInState({
      secrets: new SecretRing(['another secret for tests, 32 long', 'a secret for tests with 32 characters']),
      clock,
      issuer,
      secureCookies: true,
      lifeSeconds: 3600,
    });
    expect(rotated.read(here, one ?? ''), 'a rotated secret breaks nothing').to.equal('/admin?a');
    clock.advance(3601);
    expect(state.read(here, one ?? '')).to.equal(undefined);
  });

  it('writes initials for any name', () => {
    for (const [name, initials] of [
      ['Mara Lindgren', 'ML'],
      ['mara', 'M'],
      ['jonas.okoro@fernhill.example', 'JE'],
      ['Ana María de la Cruz', 'AC'],
      ['李小龍', '李'],
      ['', ''],
      ['--', ''],
    ] as const) {
      expect(initialsOf(name), name).to.equal(initials);
    }
  });
});
