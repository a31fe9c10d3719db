import { createSqlCodeStore } from '../../src/one-time-secrets/code-store-sql.ts';
import { type CodePolicy, createOneTimeSecrets, type OneTimeSecrets } from '../../src/one-time-secrets/index.ts';
import { createSqlLinkStore } from '../../src/one-time-secrets/link-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import type { Database } from '../../src/storage/database.ts';

export const oldSecret = 'one-time-test-secret-one-time-test-secret';

/** The domain on a database, with a clock of its own. */
export function createFixture(
  database: Database,
  options: { secrets?: readonly string[]; policy?: Partial<CodePolicy>; clock?: FixedClock } = {},
): OneTimeSecrets & { readonly clock: FixedClock } {
  const clock = options.clock ?? new FixedClock();
  const domain = createOneTimeSecrets({
    links: createSqlLinkStore(database),
    codes: createSqlCodeStore(database),
    clock,
    secrets: new SecretRing(options.secrets ?? [oldSecret]),
    ...(options.policy && { policy: options.policy }),
  });
  return { ...domain, clock };
}

/** Fifty at the same moment. */
export const fifty = <T>(work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 50 }, (_, index) => work(index)));

export const count = <T>(list: readonly T[], value: T): number => list.filter((one) => one === value).length;
