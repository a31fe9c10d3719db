import { expect } from 'chai';
import { toClaims } from '../../src/accounts/index.js';
import { asAccountId } from '../../src/shared/ids.js';
const account = {
    id: asAccountId('acc_1'),
    username: 'alex',
    email: 'Alex@Example.com',
    emailVerified: true,
    status: 'active',
    roles: ['admin'],
    profile: { name: 'Alex Example', zoneinfo: 'Europe/Berlin' },
    address: { country: 'DE' },
    phoneNumber: '+4930123456',
    phoneNumberVerified: false,
    createdAt: 1_000,
    updatedAt: 1_767_225_600_999,
    version: 1,
};
describe('claims of an account', () => {
    it('are the standard ones, with updated_at in seconds', () => {
        expect(toClaims(account)).to.deep.equal({
            sub: 'acc_1',
            preferred_username: 'alex',
            name: 'Alex Example',
            zoneinfo: 'Europe/Berlin',
            updated_at: 1_767_225_600,
            email: 'Alex@Example.com',
            email_verified: true,
            address: { country: 'DE' },
            phone_number: '+4930123456',
            phone_number_verified: false,
        });
    });
    it('are limited to the scopes', () => {
        expect(toClaims(account, ['openid', 'email'])).to.deep.equal({
            sub: 'acc_1',
            email: 'Alex@Example.com',
            email_verified: true,
        });
        expect(toClaims(account, [])).to.deep.equal({ sub: 'acc_1' });
        expect(toClaims(account, ['__proto__', 'constructor', 'notes:read'])).to.deep.equal({ sub: 'acc_1' });
    });
    it('leave out what is not known', () => {
        const { address: _address, phoneNumber: _phone, username: _username, ...bare } = account;
        const claims = toClaims({ ...bare, profile: {} });
        expect(claims).to.have.all.keys('sub', 'updated_at', 'email', 'email_verified');
    });
    it('prefer the username that the person chose to show', () => {
        expect(toClaims({ ...account, profile: { preferred_username: 'Lex' } }).preferred_username).to.equal('Lex');
    });
});
