import { join } from 'node:path';
import type { Api } from '../apis/index.ts';
import type { Config } from '../config/load.ts';
import { type Playground, type PlaygroundClient, startPlayground } from '../playground/index.ts';
import type { Logger } from '../shared/logger.ts';
import { apiIdentifier } from '../web/api/resource.ts';
import type { DemoSummary } from './demo-data.ts';
import type { Domains } from './domains.ts';

interface Needs {
  readonly config: Config;
  readonly demo: DemoSummary;
  readonly domains: Pick<Domains, 'apis' | 'clients'>;
  readonly logger: Logger;
}

const viewsDir = join(import.meta.dirname, '..', '..', 'views');

function clientOf({ clients }: DemoSummary, id: string): PlaygroundClient | undefined {
  const client = clients.find((candidate) => candidate.id === id);
  return client && { clientId: client.id, ...(client.secret !== undefined && { clientSecret: client.secret }) };
}

/** What its page suggests: every API that is registered, and our own where the demo data lets it ask for that. */
async function apisFor({ config, domains: { apis, clients } }: Needs): Promise<Api[]> {
  const [registered, client] = await Promise.all([apis.list(), clients.find('playground')]);
  const own = apiIdentifier(config.issuer);
  const builtIn = client && Object.hasOwn(client.apis, own) ? await apis.find(own) : undefined;
  return builtIn ? [...registered, builtIn] : registered;
}

/** Starts the playground as the demo data describes it; nothing when the database has no demo data. */
export async function openPlayground(needs: Needs): Promise<Playground | undefined> {
  const { config, demo, logger } = needs;
  const playground = clientOf(demo, 'playground');
  if (!playground) return undefined;
  const [device, machine, introspection] = ['demo-device', 'demo-machine', 'demo-service'].map((id) =>
    clientOf(demo, id),
  );
  const apis = await apisFor(needs);
  return startPlayground({
    issuer: config.issuer,
    port: config.SALLYPORT_PLAYGROUND_PORT,
    host: '127.0.0.1',
    viewsDir,
    logger,
    clients: {
      playground,
      ...(device && { device }),
      ...(machine && { machine }),
      ...(introspection && { introspection }),
    },
    apis: apis.map(({ identifier, name, scopes }) => ({ identifier, name, scopes: scopes.map((scope) => scope.name) })),
  });
}
