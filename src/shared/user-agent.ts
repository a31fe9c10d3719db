import Bowser from 'bowser';

export type DeviceType = 'desktop' | 'mobile' | 'tablet' | 'tv' | 'bot' | 'unknown';

/** What a browser says it is, in words of ours only: the header says what a stranger wants it to say. */
export interface DeviceDescription {
  /** "Firefox"; absent when it is none that we know. */
  readonly browser?: string;
  /** "Windows", "Mac", "iPhone". */
  readonly os?: string;
  readonly type: DeviceType;
}

const browserNames = new Set(Object.values(Bowser.BROWSER_MAP));
const systemNames = new Set(Object.values(Bowser.OS_MAP));
const types: ReadonlySet<string> = new Set(['desktop', 'mobile', 'tablet', 'tv', 'bot']);

/** What people call them, where the library is more exact than that. */
const shortNames: Readonly<Record<string, string>> = {
  'Microsoft Edge': 'Edge',
  'Samsung Internet for Android': 'Samsung Internet',
  'Opera Touch': 'Opera',
  macOS: 'Mac',
  'Chrome OS': 'ChromeOS',
};

const known = (names: ReadonlySet<string>, name: string | undefined): string | undefined =>
  name !== undefined && names.has(name) ? (shortNames[name] ?? name) : undefined;

/** Reads a `User-Agent` header. It may be anything; only its first 300 characters count. */
export function describeDevice(userAgent: string | undefined): DeviceDescription {
  const header = userAgent?.slice(0, 300).trim() ?? '';
  if (header === '') return { type: 'unknown' };
  if (/^curl\//.test(header)) return { browser: 'curl', type: 'unknown' };
  const seen = Bowser.parse(header);
  const system = known(systemNames, seen.os.name);
  const named = types.has(seen.platform.type ?? '') ? (seen.platform.type as DeviceType) : 'unknown';
  // The library does not say what a Chromebook is.
  const type = named === 'unknown' && system === 'ChromeOS' ? 'desktop' : named;
  const browser = known(browserNames, seen.browser.name);
  const os = system === 'iOS' ? (type === 'tablet' ? 'iPad' : 'iPhone') : system;
  return { type, ...(browser !== undefined && { browser }), ...(os !== undefined && { os }) };
}

/** "Firefox on Windows"; undefined when neither part is known. */
export const deviceText = ({ browser, os }: Pick<DeviceDescription, 'browser' | 'os'>): string | undefined =>
  browser !== undefined && os !== undefined ? `${browser} on ${os}` : (browser ?? os);
