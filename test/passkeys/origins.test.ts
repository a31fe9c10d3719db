import { expect } from 'chai';
import { ConfigError, loadConfig } from '../../src/config/load.ts';

const load = (origins: string) =>
  loadConfig({ NODE_ENV: 'test', SALLYPORT_SECRETS: 's'.repeat(40), SALLYPORT_PASSKEY_ORIGINS: origins });

describe('related origins of passkeys', () => {
  it('are https origins, each exactly as browsers write it', () => {
    const given = 'https://shop.example.net, https://shop.example.de:8443';
    expect(load(given).SALLYPORT_PASSKEY_ORIGINS).to.deep.equal([
      'https://shop.example.net',
      'https://shop.example.de:8443',
    ]);
    expect(load('').SALLYPORT_PASSKEY_ORIGINS).to.deep.equal([]);
  });

  for (const bad of [
    'http://shop.example.net',
    'https://shop.example.net/',
    'https://shop.example.net/sign-in',
    'https://SHOP.example.net',
    'https://user@shop.example.net',
    'https://*.example.net',
    'https://shop.example.net:443',
    'shop.example.net',
    'null',
  ]) {
    it(`are not ${bad}`, () => {
      expect(() => load(bad)).to.throw(ConfigError, 'SALLYPORT_PASSKEY_ORIGINS');
    });
  }
});
