import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../support/redis.ts';

/** A way in which a Redis ends and something takes its place. */
export interface Loss {
  readonly name: string;
  /** What it keeps: everything until the last write, what it had when it was marked, or nothing. */
  readonly keeps: 'everything' | 'what it had' | 'nothing';
  /** For the Redis that will be lost. */
  readonly arguments: string[];
  /** Notes the state that may come back. */
  mark(server: RedisServer): Promise<void>;
  /** After `kill -9`: something answers on its port again. */
  comeBack(server: RedisServer): Promise<void>;
}

async function told<T>({ url }: Pick<RedisServer, 'url'>, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

const restart = (server: RedisServer): Promise<void> => server.restart();
const nothing = async (): Promise<void> => undefined;

/** A replica that was cut off before the end of what it follows, and takes over then. */
function failover(stack: AsyncDisposableStack): Loss {
  let replica: RedisServer | undefined;
  return {
    name: 'a replica that was cut off before takes over',
    keeps: 'what it had',
    arguments: ['--repl-diskless-sync-delay', '0'],
    async mark(server) {
      const follower = stack.use(await startRedis());
      await told(follower, async (client) => {
        await client.replicaof('127.0.0.1', server.port);
        while (!(await client.info('replication')).includes('master_link_status:up')) await client.ping();
      });
      await told(server, async (client) => {
        // Waits until the replica has all that was written until now.
        await client.set('test:mark', 'x');
        if ((await client.wait(1, 5_000)) !== 1) throw new Error('the replica did not follow');
      });
      await told(follower, async (client) => {
        await client.replicaof('NO', 'ONE');
        await client.save();
      });
      await follower.crash();
      replica = follower;
    },
    async comeBack({ port }) {
      await replica?.restart(port);
    },
  };
}

/** Every way to lose a Redis that is tried. */
export const losses = (stack: AsyncDisposableStack): readonly Loss[] => [
  {
    name: 'a restart with an append-only file',
    keeps: 'everything',
    arguments: ['--appendonly', 'yes', '--appendfsync', 'everysec'],
    mark: nothing,
    comeBack: restart,
  },
  {
    name: 'a restart with a snapshot from before',
    keeps: 'what it had',
    arguments: [],
    mark: (server) => told(server, async (client) => void (await client.save())),
    comeBack: restart,
  },
  { name: 'a restart without persistence', keeps: 'nothing', arguments: [], mark: nothing, comeBack: restart },
  failover(stack),
];
