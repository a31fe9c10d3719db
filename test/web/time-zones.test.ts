import { expect } from 'chai';
import { profileGroups } from '../../src/web/account-console/profile-fields.ts';
import { timeZones } from '../../src/web/account-console/time-zones.ts';

const choicesWith = (zone: string): readonly string[] | undefined =>
  profileGroups({ 'profile.zoneinfo': zone })
    .flatMap(({ fields }) => fields)
    .find(({ name }) => name === 'profile.zoneinfo')?.choices;

describe('time zones of the profile', () => {
  it('have the names of today, once, and UTC', () => {
    expect(timeZones).to.include.members(['Asia/Kolkata', 'Europe/Kyiv', 'America/Nuuk', 'Europe/Berlin', 'UTC']);
    expect(timeZones).to.not.include.members(['Asia/Calcutta']).and.not.include.members(['Europe/Kiev']);
    expect(new Set(timeZones).size).to.equal(timeZones.length);
  });

  it('are all known to what writes times with them', () => {
    for (const timeZone of timeZones)
      expect(() => new Intl.DateTimeFormat('en', { timeZone }), timeZone).to.not.throw();
  });

  it('keep the name that a profile has, whatever it is', () => {
    expect(choicesWith('Asia/Calcutta')?.[0]).to.equal('Asia/Calcutta');
    expect(choicesWith('Asia/Kolkata')).to.deep.equal(timeZones);
    expect(choicesWith('')).to.deep.equal(timeZones);
  });
});
