import { describeDevice, deviceText } from '../shared/user-agent.ts';

/**
 * "Chrome on Windows" for a `User-Agent` header: words of ours only, because the header says what a stranger wants it to
 * say. Undefined when neither part is known. It is the name that the console has for the same browser.
 */
export const describeBrowser = (userAgent: string | undefined): string | undefined =>
  deviceText(describeDevice(userAgent));
