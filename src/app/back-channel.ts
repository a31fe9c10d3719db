import { createSqlDeliveryStore } from '../back-channel/delivery-store-sql.ts';
import {
  type BackChannel,
  createBackChannel,
  createLogoutPost,
  type DeliveryStore,
  deliveryPolicy,
} from '../back-channel/index.ts';
import type { Clients } from '../clients/index.ts';
import type { Config } from '../config/load.ts';
import type { Keys } from '../keys/index.ts';
import { createLogoutSigner } from '../oidc/back-channel.ts';
import { createGuardedPost, createNetworkGuard } from '../outgoing/index.ts';
import type { SessionStore, Sessions } from '../sessions/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';

/** Seconds that an app has for its answer. */
const answerSeconds = 5;

/**
 * Session rows whose end also queues what their apps have to be told. It hangs on the one statement that ends sessions, so
 * that no way to end one can forget it, and it is in the same transaction: no end without its rows, no row without its end.
 */
export const withLogouts = (store: SessionStore, deliveries: Pick<DeliveryStore, 'add'>): SessionStore => ({
  ...store,
  async end(ids, how) {
    const ended = await store.end(ids, how);
    await deliveries.add(ended, how.now);
    return ended;
  },
});

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly clients: Clients;
  readonly keys: Keys;
  readonly sessions: Pick<Sessions, 'onEnd'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The back-channel with its store, its signer and its way out. */
export function createBackChannelParts({
  config,
  database,
  clients,
  keys,
  sessions,
  clock,
  logger,
}: Needs): BackChannel {
  const guard = createNetworkGuard({
    variable: 'SALLYPORT_LOGOUT_NETWORKS',
    networks: config.SALLYPORT_LOGOUT_NETWORKS,
    anywhere: !config.production,
  });
  const backChannel = createBackChannel({
    store: createSqlDeliveryStore(database),
    clients,
    sign: createLogoutSigner({ issuer: config.issuer, keys, clock }),
    post: createLogoutPost(createGuardedPost({ guard, seconds: answerSeconds })),
    clock,
    logger,
    policy: deliveryPolicy,
  });
  // Whoever ended one has committed by now; other ends and other nodes are found by the next look.
  sessions.onEnd(async () => backChannel.hurry());
  return backChannel;
}

/** Queues what one app has to be told whose person leaves it and stays signed in here. */
export const leavingApps =
  ({ sessions, backChannel }: { sessions: Pick<Sessions, 'findByUid'>; backChannel: Pick<BackChannel, 'tellOne'> }) =>
  async (uid: string, clientId: string): Promise<void> => {
    const session = await sessions.findByUid(uid);
    if (!session) return;
    const { id, accountId } = session;
    await backChannel.tellOne({ id, accountId, uid, grants: [{ clientId, grantId: '' }], reason: 'signed-out' });
  };
