import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  createAddressRules,
  createNetworkList,
  distanceKm,
  locationText,
  noLocations,
  openLocations,
  openNetworkFile,
} from '../../src/locations/index.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { mmdb } from '../support/mmdb.ts';

const berlin = { latitude: 52.52, longitude: 13.405, accuracy_radius: 20 };
const networks = {
  '81.2.69.0/24': {
    country: { iso_code: 'DE', names: { en: 'Germany' } },
    city: { names: { en: 'Berlin' } },
    location: berlin,
  },
  '203.0.113.0/25': { country: { iso_code: 'FR', names: { en: 'France' } } },
};

describe('locations', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'sallyport-locations-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  const fileOf = (content: Buffer | string, name: string): string => {
    const path = join(dir, name);
    writeFileSync(path, content);
    return path;
  };

  it('are read from a database of cities, as far as it goes', () => {
    using locations = openLocations(fileOf(mmdb(networks), 'city.mmdb'), silentLogger());
    expect(locations.find('81.2.69.77')).to.deep.equal({
      country: 'DE',
      countryName: 'Germany',
      city: 'Berlin',
      latitude: 52.52,
      longitude: 13.405,
      accuracyKm: 20,
    });
    expect(locations.find('203.0.113.9')).to.deep.equal({ country: 'FR', countryName: 'France' });
    for (const unknown of ['203.0.113.200', '10.0.0.1', '127.0.0.1', 'no address', '', undefined]) {
      expect(locations.find(unknown), String(unknown)).to.equal(undefined);
    }
  });

  it('refuse a file that is no database, by its name', () => {
    const path = fileOf('not a database', 'broken.mmdb');
    expect(() => openLocations(path, silentLogger())).to.throw(/broken\.mmdb cannot be used/);
    expect(() => openLocations(join(dir, 'none'), silentLogger())).to.throw(/none cannot be used/);
  });

  it('are said as people say them', () => {
    expect(locationText({ city: 'Berlin', country: 'DE', countryName: 'Germany' })).to.equal('Berlin, Germany');
    expect(locationText({ country: 'DE' })).to.equal('DE');
    expect(locationText({})).to.equal(undefined);
  });

  it('know how far places are from each other', () => {
    const london = { latitude: 51.507, longitude: -0.128 };
    const sydney = { latitude: -33.869, longitude: 151.209 };
    expect(distanceKm({ latitude: 52.52, longitude: 13.405 }, london)).to.be.closeTo(932, 5);
    expect(distanceKm(london, sydney)).to.be.closeTo(16_993, 40);
    expect(distanceKm(london, london)).to.equal(0);
    expect(distanceKm(london, { country: 'AU' })).to.equal(undefined);
  });

  describe('network lists', () => {
    it('know addresses and networks of both families', () => {
      const list = createNetworkList(['192.0.2.0/24', '198.51.100.7', '2001:db8::/32']);
      for (const inside of ['192.0.2.255', '198.51.100.7', '2001:db8:1::1']) expect(list.has(inside)).to.equal(true);
      for (const outside of ['192.0.3.0', '198.51.100.8', '2001:db9::1', 'x', '']) {
        expect(list.has(outside), outside).to.equal(false);
      }
    });

    it('name the entry that is none', () => {
      for (const wrong of ['192.0.2.0/33', '300.1.1.1', '192.0.2.1/24/3', 'host.example', '192.0.2.0/']) {
        expect(() => createNetworkList(['192.0.2.1', wrong]), wrong).to.throw(wrong);
      }
    });

    it('are read from a file with comments', () => {
      using list = openNetworkFile(
        fileOf('# bad ones\n192.0.2.0/24 ; a network\n\r\n  198.51.100.7  \r\n', 'bad.txt'),
        silentLogger(),
      );
      expect([list.size, list.has('192.0.2.1'), list.has('198.51.100.7'), list.has('198.51.100.8')]).to.deep.equal([
        2,
        true,
        true,
        false,
      ]);
    });
  });

  describe('who may come in', () => {
    const locations = {
      find: (ip: string | undefined) => ({ '192.0.2.1': { country: 'DE' }, '192.0.2.2': { country: 'FR' } })[ip ?? ''],
    };
    const rules = (lists: Partial<Record<'allow' | 'block', string[]>> & { allowIn?: string[]; blockIn?: string[] }) =>
      createAddressRules(
        {
          allowAddresses: createNetworkList(lists.allow ?? []),
          blockAddresses: createNetworkList(lists.block ?? []),
          allowCountries: new Set(lists.allowIn ?? []),
          blockCountries: new Set(lists.blockIn ?? []),
        },
        locations,
      );
    const verdicts = (...given: Parameters<typeof rules>) =>
      ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((ip) => rules(...given).check(ip));

    it('is everybody without a list', () => {
      expect(rules({}).open).to.equal(true);
      expect(verdicts({})).to.deep.equal(['open', 'open', 'open']);
      expect(
        createAddressRules(
          {
            allowAddresses: createNetworkList([]),
            blockAddresses: createNetworkList([]),
            allowCountries: new Set(),
            blockCountries: new Set(['DE']),
          },
          noLocations,
        ).check('192.0.2.1'),
      ).to.equal('open');
    });

    it('is decided by address before country, and by a block before an allowed country', () => {
      expect(verdicts({ blockIn: ['FR'] })).to.deep.equal(['open', 'blocked-country', 'open']);
      expect(verdicts({ block: ['192.0.2.3'] })).to.deep.equal(['open', 'open', 'blocked-address']);
      expect(verdicts({ allow: ['192.0.2.2'], blockIn: ['FR'] })).to.deep.equal([
        'not-allowed',
        'allowed',
        'not-allowed',
      ]);
      expect(verdicts({ allowIn: ['DE', 'FR'], block: ['192.0.2.1'] })).to.deep.equal([
        'blocked-address',
        'allowed',
        'not-allowed',
      ]);
    });

    it('leaves out unknown places where only some countries are allowed', () => {
      expect(verdicts({ allowIn: ['DE'] })).to.deep.equal(['allowed', 'not-allowed', 'not-allowed']);
      expect(verdicts({ allowIn: ['DE'], allow: ['192.0.2.3'] })).to.deep.equal(['allowed', 'not-allowed', 'allowed']);
    });
  });
});
