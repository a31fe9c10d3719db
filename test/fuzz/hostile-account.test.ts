import { expect } from 'chai';
import { accountDoors } from './account-doors.ts';
import { besiege, onLocalhost } from './siege.ts';

besiege('hostile forms of the account console, with a token that is right', {
  env: onLocalhost,
  async doors(running) {
    const built = await accountDoors(running);
    const found = built.doors.map(({ path }) => path);
    expect(found).to.include.members([
      '/account/profile',
      '/account/password',
      '/account/passkeys/add',
      '/account/data/delete',
    ]);
    return built;
  },
});
