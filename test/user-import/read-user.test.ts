import { expect } from 'chai';
import fc from 'fast-check';
import type { ImportSettings } from '../../src/user-import/index.ts';
import { readUser } from '../../src/user-import/read-user.ts';

const plain: ImportSettings = { map: {}, set: {}, mustChange: false, allowAdmin: false };
const bcrypt = '$2y$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e';

function user(record: Record<string, unknown>, settings: Partial<ImportSettings> = {}) {
  const reading = readUser(record, { ...plain, ...settings });
  if (!('user' in reading)) throw new Error(JSON.stringify(reading.fields));
  return reading.user;
}

const fieldsOf = (record: Record<string, unknown>, settings: Partial<ImportSettings> = {}) => {
  const reading = readUser(record, { ...plain, ...settings });
  return 'fields' in reading ? reading.fields : {};
};

describe('a row of users', () => {
  it('has everything that an account can have, flat or in objects', () => {
    const flat = {
      id: 4711,
      email: 'Alex@Example.com',
      username: 'alex',
      email_verified: '1',
      roles: 'support; billing',
      name: 'Alex Doe',
      locale: 'de_DE',
      address_locality: 'Fernhill',
      phone_number: '+4930123456',
      phone_number_verified: 'f',
      password_hash: bcrypt,
      password_changed_at: '2025-03-01 12:00:00Z',
      totp_secret: 'JBSWY3DPEHPK3PXP',
      must_change: 'true',
    };
    const nested = {
      id: '4711',
      email: 'Alex@Example.com',
      username: 'alex',
      email_verified: true,
      roles: ['support', 'billing'],
      profile: { name: 'Alex Doe', locale: 'de_DE' },
      address: { locality: 'Fernhill' },
      phone_number: '+4930123456',
      phone_number_verified: false,
      password: { hash: bcrypt, changed_at: '2025-03-01T12:00:00Z' },
      totp_secret: 'otpauth://totp/x?secret=JBSWY3DPEHPK3PXP',
      must_change: 1,
    };
    const read = user(flat);
    expect(user(nested)).to.deep.equal(read);
    expect(read).to.deep.equal({
      account: {
        email: 'Alex@Example.com',
        username: 'alex',
        emailVerified: true,
        status: 'active',
        roles: ['support', 'billing'],
        profile: { name: 'Alex Doe', locale: 'de_DE' },
        address: { locality: 'Fernhill' },
        phoneNumber: '+4930123456',
        phoneNumberVerified: false,
      },
      keys: { email: 'alex@example.com', username: 'alex' },
      suspended: false,
      mustChange: true,
      sourceId: '4711',
      password: { stored: bcrypt, kind: 'bcrypt', changedAt: Date.parse('2025-03-01T12:00:00Z') },
      totpSecret: 'JBSWY3DPEHPK3PXP',
    });
  });

  it('may call its columns anything, and leave out what is the same in all', () => {
    const hash = Buffer.alloc(32, 1).toString('hex');
    const read = user(
      { uid: 'u1', mail: 'a@x.example', extra: { pw: hash, salt: 'pepper' }, confirmed_at: '2024-01-01', unknown: 1 },
      {
        map: {
          source_id: 'uid',
          email: 'mail',
          password_hash: 'extra.pw',
          password_salt: 'extra.salt',
          email_verified: 'confirmed_at',
        },
        set: {
          password_algorithm: 'sha256',
          password_encoding: 'hex',
          password_salt_encoding: 'text',
          password_order: 'password+salt',
          status: 'suspended',
        },
        mustChange: true,
      },
    );
    expect(read).to.deep.include({ sourceId: 'u1', suspended: true, mustChange: true });
    expect(read.account).to.include({ email: 'a@x.example', emailVerified: true, status: 'active' });
    expect(read.password?.stored).to.match(/^\$sha256\$o=password\+salt\$/);
    expect(readUser({ email: 'a@x.example', unknown: 1, profile: { shoe: 43 } }, plain).unused).to.deep.equal([
      'unknown',
      'profile.shoe',
    ]);
  });

  it('says what is wrong by the names of its fields, without repeating what is in it', () => {
    const secret = 'private-text-of-somebody';
    const fields = fieldsOf({
      email: secret,
      username: `${secret} ${secret}`,
      email_verified: secret,
      roles: 'A B',
      status: secret,
      id: `${secret} with spaces`,
      phone_number: secret,
      password_hash: secret,
      password_changed_at: secret,
      totp_secret: `${secret}!`,
      locale: `${secret}${secret}`,
      birthdate: secret,
      address_country: 'x'.repeat(200),
    });
    expect(fields).to.have.all.keys(
      'email',
      'username',
      'email_verified',
      'roles',
      'status',
      'source_id',
      'phone_number',
      'password_hash',
      'password_changed_at',
      'totp_secret',
      'locale',
      'birthdate',
      'address_country',
    );
    expect(JSON.stringify(fields)).not.to.contain(secret);
    expect(fieldsOf({})).to.have.property('email');
  });

  it('makes an administrator only where that is allowed', () => {
    const row = { email: 'a@x.example', roles: ['admin'] };
    expect(fieldsOf(row)).to.have.property('roles').that.contains('--allow-admin');
    expect(user(row, { allowAdmin: true }).account.roles).to.deep.equal(['admin']);
  });

  it('of any content is read or refused, and nothing else', () => {
    const names = fc.constantFrom(
      'email',
      'id',
      'roles',
      'password_hash',
      'password',
      'totp_secret',
      '__proto__',
      'profile',
    );
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (record) => {
        const reading = readUser(record as Record<string, unknown>, plain);
        expect('user' in reading || Object.keys(reading.fields).length > 0).to.equal(true);
      }),
      { numRuns: 300 },
    );
  });
});
