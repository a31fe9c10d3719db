import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Client } from '../../src/clients/index.ts';
import { createClient, type Person } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';
import { expectPage, type Page, type WebClient } from '../support/web-client.ts';

const deploy = join(import.meta.dirname, '..', '..', 'deploy', 'nginx');

/** What reached the app behind the proxy. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly names: readonly string[];
}

/** An app that answers with what it was sent. */
export async function startBackend(): Promise<AsyncDisposable & { readonly port: number; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((req, res) => {
    const names = req.rawHeaders.filter((_value, index) => index % 2 === 0);
    seen.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, names });
    res.setHeader('content-type', 'text/html');
    res.end(
      `<!DOCTYPE html><html lang="en"><title>Wiki</title><body data-page="wiki">${req.headers['x-auth-user'] ?? ''}`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The server block of the documentation, on this machine and without TLS. */
export function nginxServer(
  file: 'app.conf' | 'api.conf',
  port: number,
  changes: Readonly<Record<string, string>>,
): string {
  let text = readFileSync(join(deploy, file), 'utf8')
    .replace('listen 443 ssl;', `listen 127.0.0.1:${port};`)
    .replace(/^ *ssl_\w+ .*$/gm, '')
    .replace(/include (sallyport-\w+\.conf)/g, `include ${deploy}/$1`);
  for (const [from, to] of Object.entries(changes)) text = text.replaceAll(from, to);
  return text;
}

/** A client whose app stands behind a proxy at `origin`. */
export async function createProtectedApp(server: RunningApp, ...origins: string[]): Promise<Client> {
  const { client } = await createClient(server, {
    kind: 'web',
    firstParty: true,
    metadata: { redirect_uris: origins.map((origin) => `${origin}/.sallyport/callback`) },
  });
  return client;
}

/** Goes to the address that the gate named, signs in where it is asked for, and returns where that leads back to. */
export async function passSignIn(issuer: WebClient, address: URL, person: Person): Promise<Page> {
  const page = await issuer.open(address);
  if (page.url.origin !== issuer.origin) return page;
  expectPage(page, 'login');
  return issuer.submit(page, { username: person.login, password: person.password, action: 'continue' }, 'username');
}
