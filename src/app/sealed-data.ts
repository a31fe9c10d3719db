import type { AuditLog } from '../audit/index.ts';
import type { Credentials } from '../credentials/index.ts';
import type { Keys } from '../keys/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import type { Database } from '../storage/database.ts';
import type { Webhooks } from '../webhooks/index.ts';

/** One kind of rows that hold something sealed, and how many of them which secret sealed. */
export interface SealedPlace {
  readonly name: string;
  /** Whether `reseal` moves them; what it does not move expires by itself. */
  readonly lasting: boolean;
  /** Sealed with the newest secret. */
  readonly newest: number;
  /** Sealed with an older one that is still configured. */
  readonly older: number;
  /** Sealed with one that is not configured: none of them can be opened. */
  readonly unknown: number;
}

/** What lies sealed in the database, so that an operator knows when an old secret may go. */
export interface SealedData {
  status(): Promise<SealedPlace[]>;
  /**
   * Seals everything lasting with the newest secret and says how much. Every node has to know that secret by then: one
   * that does not can't open what this writes.
   */
  reseal(): Promise<{ readonly resealed: number; readonly left: number }>;
}

interface Needs {
  readonly database: Database;
  readonly secrets: SecretRing;
  readonly clock: Clock;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly keys: Pick<Keys, 'reseal'>;
  readonly credentials: Pick<Credentials, 'resealTotps'>;
  readonly webhooks: Pick<Webhooks, 'reseal'>;
}

const places = [
  { name: 'signing keys', lasting: true, from: 'signing_key', column: 'private_jwk' },
  { name: 'authenticator apps', lasting: true, from: 'totp', column: 'secret' },
  { name: 'webhooks', lasting: true, from: 'webhook_endpoint', column: 'secrets' },
  { name: 'enrolments under way', lasting: false, from: 'totp_pending where expires_at > :now', column: 'secret' },
  { name: 'mails that wait', lasting: false, from: `outbox where status = 'pending'`, column: 'data' },
  { name: 'browser sessions, codes', lasting: false, from: 'artifact where expires_at > :now', column: 'payload' },
] as const;

// A sealed value names its secret between the first two dots; what is not sealed is JSON.
const countText = places
  .map(
    ({ from, column }, index) =>
      `select ${index} as place, split_part(${column}, '.', 2) as id, count(*)::int as count
       from (select ${column} from ${from}) as rows where ${column} like 'v1.%' group by 2`,
  )
  .join(' union all ');

/** Looks over the sealed columns of all domains, and has those domains seal anew that keep something for good. */
export const createSealedData = ({ database, secrets, clock, audit, ...domains }: Needs): SealedData => ({
  async status() {
    const now = new Date(clock.now());
    const { rows } = await database.sql.raw<{ rows: { place: number; id: string; count: number }[] }>(countText, {
      now,
    });
    return places.map(({ name, lasting }, index) => {
      const sum = (fits: (id: string) => boolean): number =>
        rows.filter(({ place, id }) => place === index && fits(id)).reduce((total, { count }) => total + count, 0);
      const isNewest = (id: string): boolean => id === secrets.currentId;
      const isKnown = (id: string): boolean => secrets.ids.includes(id);
      const older = sum((id) => isKnown(id) && !isNewest(id));
      return { name, lasting, newest: sum(isNewest), older, unknown: sum((id) => !isKnown(id)) };
    });
  },

  async reseal() {
    const parts = [
      await domains.keys.reseal(),
      await domains.credentials.resealTotps(),
      await domains.webhooks.reseal(),
    ];
    const total = (name: 'resealed' | 'left'): number => parts.reduce((sum, part) => sum + part[name], 0);
    const [resealed, left] = [total('resealed'), total('left')];
    if (resealed > 0) {
      const details = { count: resealed, secret: secrets.currentId };
      await audit.record({ type: 'secrets.resealed', actor: { kind: 'operator' }, outcome: 'success', details });
    }
    return { resealed, left };
  },
});
