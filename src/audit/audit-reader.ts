import type { AuditRow } from './audit-log.ts';
import type { AuditType } from './event.ts';

/** A place in the log; what is older comes after it. */
export interface AuditPlace {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of the row there, to tell rows of one moment apart. */
  readonly id: string;
}

/** Reads the log a page at a time. */
export interface AuditReader {
  /**
   * Rows about one account, client or key, newest first and each exactly once, whatever is written meanwhile.
   * @param page.types only these; `before` the last row of the page before; `limit` rows at most
   */
  listOf(
    subject: string,
    page: {
      readonly types: readonly AuditType[];
      readonly before?: AuditPlace | undefined;
      readonly limit: number;
    },
  ): Promise<AuditRow[]>;
}
