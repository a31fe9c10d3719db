// Makes the pictures of the README from a running server: `node docs/images/make.ts`.
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { startPlayground } from '../../src/playground/index.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { browser, closeBrowser } from '../../test/support/browser.ts';
import { createClient, createPerson, enrolTotp } from '../../test/support/people.ts';
import { freePort, startApp } from '../../test/support/start-app.ts';

const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();

const save = (page: Page, name: string): Promise<unknown> =>
  page.screenshot({ path: join(import.meta.dirname, `${name}.png`), animations: 'disabled' });

// By name, because browsers make no passkeys for a bare address.
const ownPort = await freePort();
await using server = await startApp({ PORT: String(ownPort), SALLYPORT_ISSUER: `http://localhost:${ownPort}` });
const port = await freePort();
const origin = `http://localhost:${port}`;
const { client } = await createClient(server, {
  id: 'playground',
  kind: 'spa',
  name: 'Playground',
  metadata: { redirect_uris: [`${origin}/callback`], post_logout_redirect_uris: [`${origin}/`] },
});
const service = await createClient(server, { kind: 'service', mayIntrospect: true });
const machine = await createClient(server, { kind: 'machine' });
const person = await createPerson(server);
const factor = await enrolTotp(server, person.account.id, person.login);
await server.app.domains.accountSettings.regenerateBackupCodes(person.account);
await using _playground = await startPlayground({
  issuer: server.url,
  port,
  host: '127.0.0.1',
  viewsDir: join(import.meta.dirname, '..', '..', 'views'),
  logger: silentLogger(),
  clients: {
    playground: { clientId: client.id },
    device: { clientId: client.id },
    machine: { clientId: machine.client.id, clientSecret: machine.secret },
    introspection: { clientId: service.client.id, clientSecret: service.secret },
  },
});

try {
  const context = await (await browser()).newContext({
    viewport: { width: 1180, height: 760 },
    deviceScaleFactor: 1.5,
    colorScheme: 'light',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(origin);
  await press(page, 'Build the address');
  await page.getByRole('link', { name: 'Go and sign in' }).click();
  await page.fill('[name=username]', 'mara.lindgren');
  await save(page, 'sign-in');
  await page.fill('[name=username]', person.login);
  await page.fill('[name=password]', person.password);
  await page.click('[name=action][value=continue]');
  await page.fill('[data-page=totp] [name=code]', await factor.code());
  await page.click('[data-page=totp] [name=action][value=continue]');
  await page.click('[data-page=consent] [name=action][value=continue]');
  await press(page, 'Exchange the code for tokens');
  await page.evaluate(`document.querySelector('section[aria-labelledby=id-token]').scrollIntoView()`);
  await save(page, 'playground');
  await page.goto(`${server.url}/account`);
  await page.waitForSelector('[data-page=account-overview]');
  await save(page, 'account');
} finally {
  await closeBrowser();
}
