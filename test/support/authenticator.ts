import type { CDPSession, Page } from 'playwright-core';

/** An authenticator of the browser's own, with a person who always agrees. */
export interface Authenticator {
  /** Commands of the DevTools protocol, domain `WebAuthn`. */
  readonly session: CDPSession;
  readonly authenticatorId: string;
}

/** Gives the browser of a page a platform authenticator that keeps passkeys and checks who uses them. */
export async function addAuthenticator(page: Page): Promise<Authenticator> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { session, authenticatorId };
}
