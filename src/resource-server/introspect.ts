import { jwtVerify } from 'jose';
import type { AccessClaims } from './access.ts';
import { BoundedMap } from './bounded-map.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { BadStatus, type Fetched, fetchText, parseObject } from './fetch-text.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { IssuerMetadata } from './issuer-metadata.ts';
import type { IntrospectionOptions } from './options.ts';
import type { RemoteValue } from './remote-value.ts';
import type { Settings } from './settings.ts';

/** The issuer cannot be asked now. */
export class IntrospectionUnavailable extends Error {}

interface Answer {
  readonly claims: AccessClaims | undefined;
}

const encode = (part: string): string => encodeURIComponent(part).replaceAll('%20', '+');
const jwtType = 'application/token-introspection+jwt';

/** Asks the issuer about tokens: once for all who wait for the same, with a short memory, and not at all while it is down. */
export class Introspector {
  readonly #settings: Settings;
  readonly #options: IntrospectionOptions;
  readonly #metadata: RemoteValue<IssuerMetadata>;
  readonly #keys: IssuerKeys;
  readonly #breaker: CircuitBreaker;
  readonly #known: BoundedMap<Answer>;
  readonly #asking = new Map<string, Promise<Answer>>();

  constructor(
    settings: Settings,
    options: IntrospectionOptions,
    metadata: RemoteValue<IssuerMetadata>,
    keys: IssuerKeys,
  ) {
    this.#settings = settings;
    this.#options = options;
    this.#metadata = metadata;
    this.#keys = keys;
    this.#breaker = new CircuitBreaker(options.breakAfter ?? 5, options.breakSeconds ?? 10, settings.now);
    this.#known = new BoundedMap(options.cacheSize ?? 5_000);
  }

  /** The claims of a live token; undefined for any other. @throws IntrospectionUnavailable */
  async ask(token: string): Promise<AccessClaims | undefined> {
    const known = this.#known.get(token, this.#settings.now());
    if (known) return known.claims;
    let asking = this.#asking.get(token);
    if (!asking) {
      if (this.#asking.size >= (this.#options.maxInFlight ?? 64))
        throw new IntrospectionUnavailable('too many questions');
      if (!this.#breaker.enter()) throw new IntrospectionUnavailable('the issuer did not answer lately');
      asking = this.#askOnce(token).finally(() => this.#asking.delete(token));
      this.#asking.set(token, asking);
    }
    return (await asking).claims;
  }

  async #askOnce(token: string): Promise<Answer> {
    let answer: Answer;
    try {
      answer = { claims: await this.#request(token) };
      this.#breaker.succeeded();
    } catch (cause) {
      // 400 is about this token, which a stranger may have made up: the issuer is there for all others.
      if (cause instanceof BadStatus && cause.status === 400) this.#breaker.succeeded();
      else this.#breaker.failed();
      throw new IntrospectionUnavailable('the issuer could not be asked', { cause });
    }
    this.#remember(token, answer);
    return answer;
  }

  #remember(token: string, answer: Answer): void {
    const { cacheSeconds = 10, negativeSeconds = 2 } = this.#options;
    const now = this.#settings.now();
    const exp = answer.claims?.exp;
    const until = now + (answer.claims ? cacheSeconds : Math.min(negativeSeconds, cacheSeconds)) * 1000;
    this.#known.set(token, answer, typeof exp === 'number' ? Math.min(until, exp * 1000) : until);
  }

  async #request(token: string): Promise<AccessClaims | undefined> {
    const { fetch, limits } = this.#settings;
    const { clientId, clientSecret, signed, endpoint } = this.#options;
    const url = endpoint ?? (await this.#metadata.get()).introspectionEndpoint;
    if (url === undefined) throw new Error('the issuer has no introspection endpoint');
    const authorization = `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64')}`;
    const accept = signed ? jwtType : 'application/json';
    const fetched = await fetchText({ fetch, limits, url, accept, form: { token }, headers: { authorization } });
    const answer = signed ? await this.#verified(fetched) : parseObject(fetched.text);
    if (typeof answer.active !== 'boolean') throw new Error('the answer does not say whether the token is active');
    const { active, token_type: _type, ...claims } = answer;
    return active ? (claims as AccessClaims) : undefined;
  }

  async #verified({ text, type }: Fetched): Promise<Record<string, unknown>> {
    if (type !== jwtType) throw new Error(`a signed answer was asked for, ${type} came`);
    const { issuer, algorithms, toleranceSeconds, now } = this.#settings;
    const { payload } = await jwtVerify(text, this.#keys.find, {
      typ: 'token-introspection+jwt',
      issuer,
      audience: this.#options.clientId,
      algorithms: [...algorithms],
      maxTokenAge: 60,
      clockTolerance: Math.max(toleranceSeconds, 1),
      currentDate: new Date(now()),
    });
    return payload.token_introspection as Record<string, unknown>;
  }
}
