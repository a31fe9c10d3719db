import type { Actor, AuditLog, AuditRow, AuditStore } from '../audit/index.ts';
import { createGuardedPost, type GuardedPost, type NetworkGuard, type Resolve } from '../outgoing/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import { AppError } from '../shared/errors.ts';
import { newReference, randomText } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import {
  type DeliveryParts,
  type DeliveryPolicy,
  deliverDue,
  deliverRegularly,
  deliveryPolicy,
  postTo,
} from './deliver.ts';
import type { Delivery, DeliveryOutcome, DeliveryStore } from './delivery-store.ts';
import { checkEndpoint, type Endpoint, matchesPattern, type NewEndpoint } from './endpoint.ts';
import type { EndpointStore, StoredEndpoint } from './endpoint-store.ts';
import { isWebhookEvent, messageOf, testEventType, type WebhookEventType } from './event.ts';
import { resealSecrets } from './reseal-secrets.ts';
import { newSigningSecret, openSigningSecrets, rotatedSecrets, sealSigningSecrets } from './signing-secrets.ts';

/** Events that leave the server, and where to. */
export interface Webhooks {
  /**
   * An audit store that also puts each event of the closed set in line for the endpoints that want it, in the same
   * statement batch: no row without its deliveries, no delivery without its row. Without endpoints it costs a look into memory.
   */
  observe(store: AuditStore): AuditStore;
  /** The secret is shown this once. @throws AppError `invalid_input`, or `conflict` when there are too many. */
  add(input: NewEndpoint, by: Actor): Promise<{ readonly endpoint: Endpoint; readonly secret: string }>;
  list(): Promise<Endpoint[]>;
  /** Deletes it and what waits for it. @throws AppError `not_found` */
  remove(id: string, by: Actor): Promise<void>;
  /** Opens one that was disabled. @throws AppError `not_found`, or `conflict` when it is open. */
  enable(id: string, by: Actor): Promise<void>;
  /** Makes a new secret; the old one signs beside it for `overlapSeconds`. @throws AppError `not_found` or `conflict` */
  rotateSecret(
    id: string,
    overlapSeconds: number,
    by: Actor,
  ): Promise<{ readonly secret: string; readonly until: number }>;
  /** Seals the secrets of all endpoints with the newest of SALLYPORT_SECRETS; `left` cannot be opened. */
  reseal(): Promise<{ readonly resealed: number; readonly left: number }>;
  /** Posts a `webhook.test` event now, once, and says how it went. @throws AppError `not_found` */
  test(id: string): Promise<{ readonly status?: number; readonly error?: string }>;
  /** Newest first. @throws AppError `not_found` */
  deliveries(id: string, filter: { readonly status?: Delivery['status']; readonly limit: number }): Promise<Delivery[]>;
  /** Delivers what is due now and says how many arrived. */
  deliver(): Promise<number>;
  /** Learns which events somebody wants; every few seconds once started. */
  refresh(): Promise<void>;
  /** Told that another node opened an endpoint: every event is put to the database until this one knows the list again. */
  hurry(): void;
  /** Delivers and refreshes until disposed. */
  start(options?: { readonly onOutcome?: (status: DeliveryOutcome['status']) => void }): AsyncDisposable;
  /** Gives up what came too late, deletes what is over, in batches, and says how many rows. */
  purge(): Promise<number>;
}

interface Needs {
  readonly endpoints: EndpointStore;
  readonly deliveries: DeliveryStore;
  /** Sends what `work` asks for in one round trip, all or nothing. */
  readonly together: <T>(work: () => Promise<T>) => Promise<T>;
  readonly clock: Clock;
  readonly secrets: SecretRing;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly logger: Logger;
  readonly guard: NetworkGuard;
  /** Development: http on this machine will do. */
  readonly allowLoopback: boolean;
  readonly policy?: Partial<DeliveryPolicy>;
  /** Default: the system's. */
  readonly resolve?: Resolve;
}

const mostEndpoints = 50;
const refreshMilliseconds = 5_000;
const purgeBatch = 1_000;

const withoutSecrets = ({ secrets, ...endpoint }: StoredEndpoint): Endpoint => endpoint;
const notFound = (id: string): AppError => new AppError('not_found', `There is no webhook ${id}.`);

class WebhookRegistry implements Webhooks {
  readonly #needs: Needs;
  readonly #policy: DeliveryPolicy;
  readonly #post: GuardedPost;
  /** What somebody wants; unknown until it was read, and then the database is asked each time. */
  #wanted: readonly string[] | undefined;
  /** Goes up with every change; a list that was read before the last one is no good. */
  #changes = 0;

  constructor(needs: Needs) {
    this.#needs = needs;
    this.#policy = { ...deliveryPolicy, ...needs.policy };
    this.#post = createGuardedPost({
      guard: needs.guard,
      seconds: this.#policy.answer,
      ...(needs.resolve && { resolve: needs.resolve }),
    });
  }

  observe(store: AuditStore): AuditStore {
    return {
      ...store,
      append: (row) => {
        const { type } = row;
        if (!isWebhookEvent(type) || !this.#isWanted(type)) return store.append(row);
        return this.#needs.together(async () => {
          await Promise.all([store.append(row), this.#queue({ ...row, type })]);
        });
      },
    };
  }

  async add(input: NewEndpoint, by: Actor): Promise<{ endpoint: Endpoint; secret: string }> {
    const { endpoints, clock, secrets, audit, allowLoopback } = this.#needs;
    const checked = checkEndpoint(input, allowLoopback);
    const id = `wh_${randomText(16)}`;
    const now = clock.now();
    const signing = newSigningSecret();
    const endpoint: StoredEndpoint = {
      ...checked,
      id,
      ...(input.description !== undefined && { description: input.description }),
      failures: 0,
      secrets: sealSigningSecrets(secrets, id, [signing]),
      createdAt: now,
      updatedAt: now,
    };
    if ((await endpoints.list()).length >= mostEndpoints) {
      throw new AppError('conflict', `There are ${mostEndpoints} webhooks already. Remove one first.`);
    }
    await endpoints.transaction(async () => {
      await endpoints.add(endpoint);
      await audit.record({ type: 'webhook.created', actor: by, outcome: 'success', subject: id });
    });
    this.#forget();
    return { endpoint: withoutSecrets(endpoint), secret: signing.secret };
  }

  async list(): Promise<Endpoint[]> {
    return (await this.#needs.endpoints.list()).map(withoutSecrets);
  }

  async remove(id: string, by: Actor): Promise<void> {
    const { endpoints, audit } = this.#needs;
    await endpoints.transaction(async () => {
      if (!(await endpoints.remove(id))) throw notFound(id);
      await audit.record({ type: 'webhook.removed', actor: by, outcome: 'success', subject: id });
    });
  }

  async enable(id: string, by: Actor): Promise<void> {
    const { endpoints, audit, clock } = this.#needs;
    await this.#get(id);
    await endpoints.transaction(async () => {
      if (!(await endpoints.setDisabled(id, false, clock.now()))) {
        throw new AppError('conflict', `The webhook ${id} is not disabled.`);
      }
      await audit.record({ type: 'webhook.enabled', actor: by, outcome: 'success', subject: id });
    });
    this.#forget();
  }

  async rotateSecret(id: string, overlapSeconds: number, by: Actor): Promise<{ secret: string; until: number }> {
    const { endpoints, audit, clock, secrets } = this.#needs;
    const { secrets: sealed } = await this.#get(id);
    const now = clock.now();
    const [next, until] = [newSigningSecret(), now + overlapSeconds * 1000];
    const both = rotatedSecrets(openSigningSecrets(secrets, id, sealed), next, until);
    await endpoints.transaction(async () => {
      if (!(await endpoints.replaceSecrets(id, sealed, sealSigningSecrets(secrets, id, both), now))) {
        throw new AppError('conflict', 'The secret was replaced by somebody else at the same moment. Try again.');
      }
      await audit.record({ type: 'webhook.secret_rotated', actor: by, outcome: 'success', subject: id });
    });
    return { secret: next.secret, until };
  }

  reseal(): Promise<{ resealed: number; left: number }> {
    return resealSecrets(this.#needs.endpoints, this.#needs.secrets);
  }

  async test(id: string): Promise<{ status?: number; error?: string }> {
    const { clock } = this.#needs;
    const endpoint = await this.#get(id);
    const event = newReference('evt');
    const timestamp = new Date(clock.now()).toISOString();
    const body = JSON.stringify({ type: testEventType, version: 1, timestamp, data: { id: event, subject: id } });
    return postTo({ ...this.#needs, post: this.#post, policy: this.#policy }, endpoint, { id: event, body });
  }

  async deliveries(id: string, filter: { status?: Delivery['status']; limit: number }): Promise<Delivery[]> {
    await this.#get(id);
    return this.#needs.deliveries.list({ endpointId: id, ...filter });
  }

  deliver(): Promise<number> {
    return deliverDue(this.#parts());
  }

  async refresh(): Promise<void> {
    const changes = this.#changes;
    const open = (await this.#needs.endpoints.list()).filter(({ disabledAt }) => disabledAt === undefined);
    if (changes === this.#changes) this.#wanted = [...new Set(open.flatMap(({ events }) => events))];
  }

  hurry(): void {
    this.#forget();
    // The next turn tells of failures, and not knowing is always right.
    void this.refresh().catch(() => undefined);
  }

  start({ onOutcome }: { onOutcome?: (status: DeliveryOutcome['status']) => void } = {}): AsyncDisposable {
    const delivering = deliverRegularly(this.#parts(onOutcome));
    let refreshing: Promise<void> = Promise.resolve();
    const timer = setInterval(() => {
      // Not knowing is always right: the database is asked then.
      refreshing = this.refresh().catch(() => {
        this.#wanted = undefined;
      });
    }, refreshMilliseconds).unref();
    return {
      async [Symbol.asyncDispose]() {
        clearInterval(timer);
        await refreshing;
        await delivering[Symbol.asyncDispose]();
      },
    };
  }

  async purge(): Promise<number> {
    const { deliveries, clock } = this.#needs;
    const now = clock.now();
    let total = 0;
    for (let removed = purgeBatch; removed >= purgeBatch; total += removed) {
      removed = await deliveries.purge(now, now - this.#policy.keep * 1000, purgeBatch);
    }
    return total;
  }

  #forget(): void {
    this.#changes += 1;
    this.#wanted = undefined;
  }

  #isWanted(type: WebhookEventType): boolean {
    return this.#wanted?.some((pattern) => matchesPattern(pattern, type)) ?? true;
  }

  #queue(row: AuditRow & { readonly type: WebhookEventType }): Promise<void> {
    return this.#needs.deliveries.add({
      eventId: row.id,
      type: row.type,
      body: JSON.stringify(messageOf(row, false)),
      bodyWithPersonalData: JSON.stringify(messageOf(row, true)),
      createdAt: row.at,
      expiresAt: row.at + this.#policy.useful * 1000,
    });
  }

  async #get(id: string): Promise<StoredEndpoint> {
    const endpoint = await this.#needs.endpoints.find(id);
    if (!endpoint) throw notFound(id);
    return endpoint;
  }

  #parts(onOutcome?: (status: DeliveryOutcome['status']) => void): DeliveryParts {
    const { endpoints, clock, audit } = this.#needs;
    const disable = async (id: string, reason: string): Promise<void> => {
      await endpoints.transaction(async () => {
        if (!(await endpoints.setDisabled(id, true, clock.now()))) return;
        const actor = { kind: 'system' } as const;
        await audit.record({ type: 'webhook.disabled', actor, outcome: 'failure', subject: id, details: { reason } });
      });
    };
    return { ...this.#needs, policy: this.#policy, post: this.#post, disable, onOutcome };
  }
}

/** Makes the webhooks domain. */
export const createWebhooks = (needs: Needs): Webhooks => new WebhookRegistry(needs);
