import { expect } from 'chai';
import type { Context } from 'koa';
import type { Account } from '../../src/accounts/index.ts';
import { asAccountId } from '../../src/shared/ids.ts';
import {
  type AccountPage,
  accountNavigation,
  accountShell,
  seeDone,
} from '../../src/web/account-console/account-pages.ts';
import { createAccountRoutes } from '../../src/web/account-console/routes.ts';
import { securityPages } from '../../src/web/account-console/security-pages.ts';
import type { SecuritySurface } from '../../src/web/account-console/security-surface.ts';
import type { ConsoleRule, Visitor } from '../../src/web/console/console-guard.ts';

const visitor: Visitor = {
  account: { id: asAccountId('acc_1'), email: 'mara@fernhill.example', profile: {} } as unknown as Account,
  session: { uid: 'u', accountId: asAccountId('acc_1'), amr: [] },
};

/** The rules in the order in which a router asks for them: for each page its GET, then its POST. */
function rulesOf(pages: readonly AccountPage[], freshSeconds = 600): ConsoleRule[] {
  const rules: ConsoleRule[] = [];
  createAccountRoutes(
    {
      guard: (rule) => {
        rules.push(rule);
        return async () => undefined;
      },
      forms: { read: async () => new Map(), markOf: () => undefined },
      freshSeconds,
      limits: { change: async () => undefined },
    },
    pages,
  );
  return rules;
}

const plain = { path: '/x', show: async () => undefined, submit: async () => undefined };

describe('the frame of the account console', () => {
  it('shows a page that wants a recent sign-in in the first half of its time, and lets it be posted in all of it', () => {
    expect(rulesOf([plain]).map(({ maxAge }) => maxAge)).to.deep.equal([undefined, undefined]);
    expect(rulesOf([{ ...plain, fresh: true }]).map(({ maxAge }) => maxAge)).to.deep.equal([300, 600]);
    const shortest = rulesOf([{ ...plain, fresh: true }], 120).map(({ maxAge }) => maxAge);
    expect(shortest, 'nobody signs in within less').to.deep.equal([60, 120]);
  });

  it('has no page that changes how somebody signs in without a recent sign-in', () => {
    const pages = securityPages({} as SecuritySurface);
    const careless = pages.filter(({ submit, fresh }) => submit && !fresh).map(({ path }) => path);
    expect(careless).to.deep.equal([]);
  });

  it('reads the form before anything is done, and hands a page only its own words for what was done', async () => {
    const order: string[] = [];
    const seen: (string | undefined)[] = [];
    const page: AccountPage = {
      path: '/x',
      notices: { saved: 'It is saved.' },
      show: async (_ctx, { done }) => void seen.push(done),
      submit: async () => void order.push('submit'),
    };
    const handlers: ((ctx: Context) => Promise<void>)[] = [];
    createAccountRoutes(
      {
        guard: (_rule, handler) => {
          handlers.push((ctx) => handler(ctx, visitor));
          return async () => undefined;
        },
        forms: {
          read: async () => {
            order.push('form');
            return new Map();
          },
          markOf: () => undefined,
        },
        freshSeconds: 600,
        limits: { change: async () => undefined },
      },
      [page],
    );
    for (const done of ['saved', 'other', 'constructor', ['saved', 'saved'], undefined]) {
      await handlers[0]?.({ query: { done } } as unknown as Context);
    }
    expect(seen).to.deep.equal(['It is saved.', undefined, undefined, undefined, undefined]);
    await handlers[1]?.({ query: {} } as unknown as Context);
    expect(order).to.deep.equal(['form', 'submit']);
  });

  it('marks where somebody is, and leads only to what exists', () => {
    const existing = new Set(['', '/passkeys']);
    const links = (path: string) => accountShell(visitor, path, existing).groups.flatMap((group) => group.links);
    expect(links('').map(({ href, current }) => [href, current])).to.deep.equal([
      ['/account', true],
      ['/account/passkeys', false],
    ]);
    expect(links('/passkeys/:id').find(({ current }) => current)?.href).to.equal('/account/passkeys');
    const every = accountNavigation.flatMap(({ entries }) => entries.map(({ label }) => label));
    expect(new Set(every).size).to.equal(every.length);
  });

  it('ends a post that worked at a page of the console, with a code and nothing else', () => {
    const headers = new Map<string, string>();
    const ctx = { set: (name: string, value: string) => headers.set(name, value) } as unknown as Context;
    seeDone(ctx, '/passkeys', 'a&b=c');
    expect([ctx.status, headers.get('location')]).to.deep.equal([303, '/account/passkeys?done=a%26b%3Dc']);
  });
});
