import { expect } from 'chai';
import fc from 'fast-check';
import { returnPath } from '../../src/web/console/return-path.ts';

const issuer = 'https://id.example';

describe('the way back from a sign-in for a console', () => {
  it('leads to pages of the consoles, with their queries', () => {
    for (const path of ['/admin', '/admin/', '/admin/users/acc_1?tab=x&y=%2F', '/account', '/account/apps?after=1']) {
      expect(returnPath(path, issuer), path).to.equal(path);
    }
    expect(returnPath('/admin/./a/../b?x', issuer)).to.equal('/admin/b?x');
    expect(returnPath('/admin#top', issuer), 'a fragment is dropped').to.equal('/admin');
  });

  it('leads nowhere else', () => {
    const elsewhere = [
      '',
      'admin',
      '/',
      '/sign-in/x',
      '/administration',
      '/ADMIN',
      '//evil.example',
      '//evil.example/admin',
      '///evil.example/admin',
      '/\\evil.example/admin',
      '\\\\evil.example',
      '/\t/evil.example',
      '/\n/evil.example',
      '/admin\r\nLocation: //evil.example',
      '/admin/..',
      '/admin/../',
      '/admin/..//evil.example',
      '/admin/%2e%2e//evil.example',
      '/admin/.%2E/oauth2/logout',
      '/%2fevil.example/admin',
      '/%5cevil.example',
      '/%61dmin',
      '/admin\\..\\x',
      '/admin?next=ä',
      '/admin ',
      ' /admin',
      '/@evil.example/admin',
      'https://evil.example/admin',
      'https:/admin',
      'https:admin',
      `${issuer}/admin`,
      'javascript:alert(1)//admin',
      '/admin\0',
      `/admin/${'x'.repeat(1000)}`,
    ];
    for (const path of elsewhere) expect(returnPath(path, issuer), JSON.stringify(path)).to.equal(undefined);
  });

  it('stays inside whatever comes, and a browser resolves it to the same place', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '..',
      '.',
      '%2e',
      '%2F',
      '%5c',
      'admin',
      'evil.example',
      '@',
      ':',
      '?',
      '#',
      '\t',
      '//',
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          text.map((tail) => `/admin/${tail}`),
        ),
        (given) => {
          const path = returnPath(given, issuer);
          if (path === undefined) return;
          const url = new URL(path, issuer);
          expect(url.origin).to.equal(issuer);
          expect(url.pathname).to.match(/^\/(admin|account)(\/|$)/);
          expect(returnPath(path, issuer)).to.equal(path);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
