import { expect } from 'chai';
import { dataPages } from '../../src/web/account-console/data-pages.ts';

describe('the pages about data', () => {
  const pages = dataPages({} as Parameters<typeof dataPages>[0]);
  const pathsOf = (test: (page: (typeof pages)[number]) => unknown): string[] =>
    pages.filter(test).map(({ path }) => path);

  it('want a recent sign-in where somebody who took a session could take the account, its data or its sessions', () => {
    expect(pathsOf(({ fresh }) => fresh)).to.have.members([
      '/profile/email',
      '/profile/username',
      '/sessions/end',
      '/data/export',
      '/data/delete',
    ]);
  });

  it('have one address each, and change something only where there is a form', () => {
    expect(new Set(pathsOf(() => true)).size).to.equal(pages.length);
    expect(pathsOf(({ submit }) => !submit)).to.have.members(['/activity', '/data']);
  });
});
