import { inflate } from 'node:zlib';
import { jwtVerify } from 'jose';
import type { AccessClaims } from './access.ts';
import { BoundedMap } from './bounded-map.ts';
import { fetchText } from './fetch-text.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { safeAddress } from './issuer-metadata.ts';
import { RemoteValue } from './remote-value.ts';
import type { Settings } from './settings.ts';

interface StatusList {
  readonly bits: number;
  readonly bytes: Uint8Array;
}

/** What a list says of a token. */
export type Standing = 'valid' | 'invalid';

const mediaType = 'application/statuslist+jwt';

/** A list of a million entries of eight bits; more is no list but a bomb (draft §11.5). */
const maxInflated = 1024 * 1024;
const maxLists = 200;
/** Seconds that a copy is used when the list names no `ttl`. */
const defaultTtl = 60;
const longestTtl = 3_600;

const inflateWithin = (data: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    inflate(data, { maxOutputLength: maxInflated }, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });

async function readList(value: unknown): Promise<StatusList> {
  const { bits, lst } = (value ?? {}) as { bits?: unknown; lst?: unknown };
  if (typeof bits !== 'number' || ![1, 2, 4, 8].includes(bits)) throw new Error('the list has no usable bits');
  if (typeof lst !== 'string') throw new Error('the list has no lst');
  return { bits, bytes: await inflateWithin(Buffer.from(lst, 'base64url')) };
}

/** The status of an entry (draft-ietf-oauth-status-list §4.1). An index out of bounds is nobody's, so it is not valid. */
export function standingIn({ bits, bytes }: StatusList, idx: number): Standing {
  const byte = Number.isSafeInteger(idx) && idx >= 0 ? bytes[Math.floor((idx * bits) / 8)] : undefined;
  if (byte === undefined) return 'invalid';
  return ((byte >> ((idx * bits) % 8)) & ((1 << bits) - 1)) === 0 ? 'valid' : 'invalid';
}

/** The lists that tokens of the issuer name: each fetched when it is needed, and again when its `ttl` is over. */
export class StatusLists {
  readonly #settings: Settings;
  readonly #keys: IssuerKeys;
  readonly #lists = new BoundedMap<RemoteValue<StatusList>>(maxLists);

  constructor(settings: Settings, keys: IssuerKeys) {
    this.#settings = settings;
    this.#keys = keys;
  }

  /** Without waiting, while the copy at hand is fresh; undefined when it is not. */
  peek({ status }: AccessClaims): Standing | undefined {
    const reference = status?.status_list;
    if (!reference) return undefined;
    const list = this.#lists.get(reference.uri, this.#settings.now())?.fresh;
    return list && standingIn(list, reference.idx);
  }

  /** @throws Error when the list cannot be had, and there is no copy that may still be used. */
  async find({ status }: AccessClaims): Promise<Standing> {
    const reference = status?.status_list;
    if (typeof reference?.idx !== 'number' || typeof reference.uri !== 'string') return 'invalid';
    return standingIn(await this.#listAt(reference.uri).get(), reference.idx);
  }

  #listAt(uri: string): RemoteValue<StatusList> {
    const now = this.#settings.now();
    const known = this.#lists.get(uri, now);
    if (known) return known;
    const { retrySeconds } = this.#settings;
    const list = new RemoteValue({ now: this.#settings.now, retrySeconds, load: () => this.#load(uri) });
    this.#lists.set(uri, list, Number.POSITIVE_INFINITY);
    return list;
  }

  async #load(uri: string) {
    const { fetch, limits, now, algorithms, issuer, statusList, toleranceSeconds } = this.#settings;
    const { text } = await fetchText({ fetch, limits, url: safeAddress(uri, 'status list'), accept: mediaType });
    const { payload } = await jwtVerify(text, this.#keys.find, {
      typ: 'statuslist+jwt',
      algorithms: [...algorithms],
      subject: uri,
      requiredClaims: ['iat'],
      currentDate: new Date(now()),
      clockTolerance: toleranceSeconds,
    });
    if (payload.iss !== undefined && payload.iss !== issuer) throw new Error('the list is of another issuer');
    const value = await readList(payload.status_list);
    const left = payload.exp === undefined ? Number.POSITIVE_INFINITY : payload.exp - now() / 1000;
    const ttl = typeof payload.ttl === 'number' && payload.ttl > 0 ? Math.min(payload.ttl, longestTtl) : defaultTtl;
    const freshSeconds = Math.max(0, Math.min(ttl, left));
    return { value, freshSeconds, staleSeconds: Math.max(0, Math.min(statusList.staleSeconds, left - freshSeconds)) };
  }
}
