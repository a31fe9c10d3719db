import { expect } from 'chai';
import { describeDevice, deviceText } from '../../src/devices/index.ts';

const chrome = '(KHTML, like Gecko) Chrome/141.0.0.0';
const headers: readonly (readonly [string, string, string])[] = [
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 ${chrome} Safari/537.36`,
    'Chrome on Windows',
    'desktop',
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 ${chrome} Safari/537.36 Edg/141.0.0.0`,
    'Edge on Windows',
    'desktop',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15',
    'Safari on Mac',
    'desktop',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1',
    'Safari on iPhone',
    'mobile',
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.0.0 Mobile/15E148 Safari/604.1',
    'Chrome on iPad',
    'tablet',
  ],
  [
    `Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 ${chrome} Mobile Safari/537.36`,
    'Chrome on Android',
    'mobile',
  ],
  ['Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux', 'desktop'],
  [
    `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 ${chrome} Safari/537.36`,
    'Chrome on ChromeOS',
    'desktop',
  ],
  ['curl/8.5.0', 'curl', 'unknown'],
];

describe('describeDevice', () => {
  for (const [header, text, type] of headers) {
    it(`reads ${text}`, () => {
      const device = describeDevice(header);
      expect(deviceText(device)).to.equal(text);
      expect(device.type).to.equal(type);
    });
  }

  it('repeats no word of a header that it does not know', () => {
    const hostile = [
      '<script>alert(1)</script>/1.0 (evil) x',
      'Your account is lost, call 555/1 (now) today',
      '',
      ' ',
      '\u202Efeed/2 (x)',
      '__proto__/1 (x)',
      'constructor/1 (toString)',
      'x'.repeat(100_000),
    ];
    for (const header of hostile) {
      expect(describeDevice(header), header.slice(0, 30)).to.deep.equal({ type: 'unknown' });
    }
    expect(describeDevice(undefined)).to.deep.equal({ type: 'unknown' });
  });
});
