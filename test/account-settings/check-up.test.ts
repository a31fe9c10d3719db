import { expect } from 'chai';
import { checkUp, type SecurityState } from '../../src/account-settings/index.ts';
import type { KnownDevice } from '../../src/devices/index.ts';
import { rowOfItem } from '../../src/web/account-console/check-up-texts.ts';

const day = 86_400_000;
const now = Date.parse('2026-11-21T12:00:00Z');
const browser = (deviceHash: string, daysAgo: number): KnownDevice => ({
  deviceHash,
  type: 'desktop',
  browser: 'Firefox',
  os: 'Linux',
  firstSeenAt: now - daysAgo * day,
  lastSeenAt: now,
});
const good: SecurityState = {
  factors: { password: true, totp: true, backupCodes: 10 },
  secondFactor: true,
  times: { password: now - 30 * day, totp: now - 30 * day },
  passkeys: [{ id: 'p', name: 'Phone', synced: true, backedUp: true, transports: [], createdAt: now }],
  passkeysUsable: true,
  mustChangePassword: false,
  passwordExpired: false,
  passwordIsShort: false,
  emailVerified: true,
  knownDevices: [browser('own', 30)],
  rememberedDevices: 0,
};
const look = (change: Partial<SecurityState> = {}, currentDevice = 'own') =>
  checkUp({ ...good, ...change }, { now, currentDevice });
const stateOf = (code: string, change: Partial<SecurityState> = {}) =>
  look(change).find((item) => item.code === code)?.state;

describe('the security check-up', () => {
  it('asks for nothing of an account in good order', () => {
    expect(look().map(({ state }) => state)).to.deep.equal(['good', 'good', 'good', 'good', 'good', 'good']);
  });

  it('advises a second factor first, and says nothing of its codes before there is one', () => {
    const items = look({ factors: { password: true, totp: false, backupCodes: 0 }, secondFactor: false });
    expect(items[0]).to.deep.equal({ code: 'second-factor', state: 'advice', by: 'passkey' });
    expect(items.map(({ code }) => code)).to.not.include('backup-codes');
  });

  it('warns of backup codes from two left on', () => {
    const left = (backupCodes: number) => stateOf('backup-codes', { factors: { ...good.factors, backupCodes } });
    expect([3, 2, 1, 0].map(left)).to.deep.equal(['good', 'advice', 'advice', 'advice']);
  });

  it('wants a spare way in beside the only passkey, and offers one beside several', () => {
    const [passkey] = good.passkeys;
    const only = { factors: { password: true, totp: false, backupCodes: 0 } };
    const items = look(only);
    expect(items[0]).to.deep.equal({ code: 'backup-codes', state: 'advice', left: 0, without: 'passkey' });
    const row = rowOfItem(items[0] as (typeof items)[number]);
    expect(row).to.deep.include({ title: 'You have no backup codes', tone: 'warn' });
    expect(row.text).to.include('does not let you in');
    const two = { ...only, passkeys: passkey ? [passkey, { ...passkey, id: 'q' }] : [] };
    expect(stateOf('backup-codes', two)).to.equal('offer');
    const passwordless = { factors: { password: false, totp: false, backupCodes: 0 }, times: {} };
    expect(stateOf('backup-codes', passwordless), 'codes stand in for nothing without a password').to.equal('offer');
  });

  it('looks at what is known of the password', () => {
    expect(stateOf('password', { mustChangePassword: true })).to.equal('advice');
    expect(stateOf('password', { passwordExpired: true })).to.equal('advice');
    expect(stateOf('password', { times: { password: now - 729 * day } })).to.equal('good');
    expect(stateOf('password', { times: { password: now - 730 * day } })).to.equal('offer');
    expect(stateOf('password', { factors: { ...good.factors, password: false }, times: {} })).to.equal('good');
  });

  it('names browsers that came lately to an account that had others, but not the one that asks', () => {
    const knownDevices = [browser('own', 30), browser('new', 3), browser('older', 15)];
    const item = look({ knownDevices }).find(({ code }) => code === 'devices');
    expect(item).to.deep.include({ state: 'advice', unfamiliar: [knownDevices[1]] });
    expect(look({ knownDevices }, 'new').find(({ code }) => code === 'devices')?.state).to.equal('good');
    expect(stateOf('devices', { knownDevices: [browser('first', 0)] }), 'the first one is no news').to.equal('good');
    expect(stateOf('devices', { knownDevices: [] })).to.equal('good');
  });

  it('offers a passkey where browsers can make one', () => {
    expect(stateOf('passkey', { passkeys: [] })).to.equal('offer');
    expect(stateOf('passkey', { passkeys: [], passkeysUsable: false })).to.equal(undefined);
  });

  it('has words for every point, and a way on wherever there is something to do', () => {
    const states: Partial<SecurityState>[] = [
      {},
      {
        factors: { password: true, totp: false, backupCodes: 0 },
        secondFactor: false,
        emailVerified: false,
        passkeys: [],
      },
      { factors: { ...good.factors, backupCodes: 1 }, mustChangePassword: true },
      { factors: { ...good.factors, backupCodes: 0 }, passwordExpired: true },
      { times: { password: 0 }, knownDevices: [browser('own', 30), browser('x', 1), browser('y', 1)] },
      { factors: { ...good.factors, password: false }, times: {} },
    ];
    for (const state of states) {
      for (const item of look(state)) {
        const row = rowOfItem(item);
        expect(`${row.title} ${row.text}`).to.not.match(/undefined|!|please|oops/i);
        if (item.state !== 'good') expect(row.action?.href, item.code).to.match(/^\/account\//);
      }
    }
  });
});
