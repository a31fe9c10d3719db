import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Clock } from '../shared/clock.ts';
import { epochSeconds } from '../shared/clock.ts';
import { encodeList } from './encode-list.ts';
import type { TokenSigner } from './sign-token.ts';
import type { StatusListStore, StatusPicture } from './status-list-store.ts';

/** A Status List Token as it is served. */
export interface PublishedList {
  /** Compact JWS, typ `statuslist+jwt` (draft §5.1). */
  readonly token: string;
  readonly gzipped: Buffer;
  /** Strong, of the token. */
  readonly etag: string;
}

interface Needs {
  readonly store: StatusListStore;
  readonly signer: TokenSigner;
  readonly clock: Clock;
  readonly issuer: string;
  readonly ttlSeconds: number;
  readonly uriOf: (listId: string) => string;
  readonly aggregationUri: string;
}

/** Milliseconds between two looks at what was revoked. */
const lookMilliseconds = 1_000;

/** How many lives of a copy the signature outlasts: for so long verifiers can do without us. */
const lives = 10;

interface Made {
  readonly lst: string;
  readonly signedAt: number;
  readonly version: string;
  readonly published: Promise<PublishedList>;
}

class Publisher {
  readonly #needs: Needs;
  readonly #made = new Map<string, Made>();
  #lists: ReadonlyMap<string, string> = new Map();
  #mark: string | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  async find(listId: string): Promise<PublishedList | undefined> {
    await this.#look();
    const lst = this.#lists.get(listId);
    if (lst === undefined) return undefined;
    const made = this.#made.get(listId);
    if (made && this.#isCurrent(made, lst)) return made.published;
    return this.#make(listId, lst);
  }

  async list(): Promise<string[]> {
    await this.#look();
    return [...this.#lists.keys()];
  }

  #isCurrent(made: Made, lst: string): boolean {
    const { signer, clock, ttlSeconds } = this.#needs;
    const isYoung = clock.now() - made.signedAt < ttlSeconds * 1000;
    return isYoung && made.version === signer.version() && made.lst === lst;
  }

  /** Callers at the same moment share one signature. */
  #make(listId: string, lst: string): Promise<PublishedList> {
    const { signer, clock } = this.#needs;
    const published = this.#sign(listId, lst);
    const made: Made = { lst, signedAt: clock.now(), version: signer.version(), published };
    this.#made.set(listId, made);
    published.catch(() => {
      if (this.#made.get(listId) === made) this.#made.delete(listId);
    });
    return published;
  }

  async #sign(listId: string, lst: string): Promise<PublishedList> {
    const { signer, clock, issuer, ttlSeconds, uriOf, aggregationUri } = this.#needs;
    const iat = epochSeconds(clock);
    const token = await signer.sign('ES256', 'statuslist+jwt', {
      iss: issuer,
      sub: uriOf(listId),
      iat,
      exp: iat + lives * ttlSeconds,
      ttl: ttlSeconds,
      status_list: { bits: 1, lst, aggregation_uri: aggregationUri },
    });
    const etag = `"${createHash('sha256').update(token).digest('base64url').slice(0, 22)}"`;
    return { token, gzipped: gzipSync(token), etag };
  }

  #look(): Promise<void> {
    if (this.#needs.clock.now() - this.#lookedAt < lookMilliseconds) return Promise.resolve();
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const { store, clock, ttlSeconds } = this.#needs;
    const now = clock.now();
    const { mark, changed } = await store.mark(this.#mark);
    // Also without a change: tokens that came after what already concerned them, and new lists.
    if (changed || now - this.#drawnAt >= (ttlSeconds * 1000) / 2) {
      this.#take(await store.picture(now));
      this.#drawnAt = now;
    }
    this.#mark = mark;
    this.#lookedAt = now;
  }

  #take({ lists, invalid }: StatusPicture): void {
    const places = new Map<string, number[]>(lists.map((id) => [id, []]));
    for (const { listId, idx } of invalid) places.get(listId)?.push(idx);
    for (const id of this.#made.keys()) if (!places.has(id)) this.#made.delete(id);
    this.#lists = new Map([...places].map(([id, indexes]) => [id, encodeList(indexes)]));
  }
}

/** Makes lists when they are asked for: at once from memory, anew at most once a second and when something changed. */
export const createPublisher = (needs: Needs): Pick<Publisher, 'find' | 'list'> => new Publisher(needs);
