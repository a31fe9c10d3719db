// The Redis adapter that a reader of oidc-provider's documentation would write: its example's commands, in our words.
import { Redis } from 'ioredis';
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

const usedOnce = new Set(['AuthorizationCode', 'RefreshToken', 'DeviceCode', 'BackchannelAuthenticationRequest']);
const ofGrant = new Set(['AccessToken', ...usedOnce]);

class StockAdapter implements Adapter {
  readonly #name: string;
  readonly #redis: Redis;

  constructor(name: string, redis: Redis) {
    this.#name = name;
    this.#redis = redis;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const key = this.#key(id);
    const text = JSON.stringify(payload);
    const batch = this.#redis.multi();
    if (usedOnce.has(this.#name)) batch.hset(key, { payload: text });
    else batch.set(key, text);
    if (expiresIn) batch.expire(key, expiresIn);
    if (ofGrant.has(this.#name) && payload.grantId !== undefined) {
      const list = `grant:${payload.grantId}`;
      batch.rpush(list, key);
      // The list lives as long as the last of its members.
      if (expiresIn > (await this.#redis.ttl(list))) batch.expire(list, expiresIn);
    }
    for (const pointer of [payload.userCode && `code:${payload.userCode}`, payload.uid && `uid:${payload.uid}`]) {
      if (pointer) batch.set(pointer, id).expire(pointer, expiresIn);
    }
    await batch.exec();
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    if (!usedOnce.has(this.#name)) {
      const text = await this.#redis.get(this.#key(id));
      return text === null ? undefined : (JSON.parse(text) as AdapterPayload);
    }
    const { payload, ...rest } = await this.#redis.hgetall(this.#key(id));
    return payload === undefined ? undefined : { ...rest, ...(JSON.parse(payload) as AdapterPayload) };
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#follow(`uid:${uid}`);
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#follow(`code:${userCode}`);
  }

  async consume(id: string): Promise<void> {
    await this.#redis.hset(this.#key(id), 'consumed', Math.floor(Date.now() / 1000));
  }

  async destroy(id: string): Promise<void> {
    await this.#redis.del(this.#key(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    const list = `grant:${grantId}`;
    const batch = this.#redis.multi();
    for (const key of await this.#redis.lrange(list, 0, -1)) batch.del(key);
    await batch.del(list).exec();
  }

  async #follow(pointer: string): Promise<AdapterPayload | undefined> {
    const id = await this.#redis.get(pointer);
    return id === null ? undefined : this.find(id);
  }

  #key(id: string): string {
    return `${this.#name}:${id}`;
  }
}

/** Adapters on one connection to `url`; `run` keeps the keys of this run apart. They expire by themselves. */
export function stockRedisAdapter(url: string, run: string): AdapterFactory {
  const redis = new Redis(url, { keyPrefix: `stock:${run}:` });
  return (name) => new StockAdapter(name, redis);
}
