import type { AuditFilter } from './audit-filter.ts';
import type { AuditRow } from './audit-log.ts';
import type { AuditType } from './event.ts';

/** A place in the log; what is older comes after it. */
export interface AuditPlace {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of the row there, to tell rows of one moment apart. */
  readonly id: string;
}

/** Rows of a search, and where it goes on: with fewer rows than were asked for when it gave up looking for now. */
export interface AuditPage {
  readonly rows: readonly AuditRow[];
  readonly next?: AuditPlace;
}

/** Reads the log a page at a time. */
export interface AuditReader {
  find(id: string): Promise<AuditRow | undefined>;
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
  /**
   * Rows that fit, newest first unless `oldestFirst`. A text in the details has no index, so that one page looks
   * through 10 000 rows at most that fit otherwise; `next` then leads on although few or none were found.
   */
  search(
    filter: AuditFilter,
    page: { readonly after?: AuditPlace | undefined; readonly limit: number; readonly oldestFirst?: boolean },
  ): Promise<AuditPage>;
}
