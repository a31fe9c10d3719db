import type { AuditType } from './event.ts';

/** Which events to count: `buckets` spans of `bucketMilliseconds`, the first one beginning at `since`. */
export interface AuditQuestion {
  readonly types: readonly AuditType[];
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly bucketMilliseconds: number;
  readonly buckets: number;
}

/** Where events are counted. */
export interface AuditCounts {
  /**
   * Rows of each type in each bucket; what did not happen may be missing. Counting stops at `atMost` rows of a type in
   * a bucket, so that the busiest installation costs no more than a busy one.
   */
  count(
    question: AuditQuestion,
    atMost: number,
  ): Promise<readonly { readonly type: AuditType; readonly bucket: number; readonly count: number }[]>;
}

/** How often something happened, over time. */
export interface AuditStatistics {
  /** For each bucket in turn, how many events of these types there were. Exact up to {@link countedAtMost}. */
  count(question: AuditQuestion): Promise<number[]>;
}

/** Where counting stops, for each type and bucket; what is beyond is not seen. */
export const countedAtMost = 50_000;

/** Makes the statistics of the audit log. */
export const createAuditStatistics = (counts: AuditCounts): AuditStatistics => ({
  async count(question) {
    const totals = Array.from({ length: question.buckets }, () => 0);
    for (const { bucket, count } of await counts.count(question, countedAtMost)) {
      totals[bucket] = (totals[bucket] ?? 0) + count;
    }
    return totals;
  },
});
