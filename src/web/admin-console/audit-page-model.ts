import type { ConsoleShell } from '../console-models.ts';

interface Choice {
  readonly value: string;
  readonly label: string;
  readonly chosen: boolean;
}

/** An event in the list. */
export interface AuditPageEvent {
  readonly text: string;
  readonly failed: boolean;
  readonly by: string;
  readonly about: string;
  readonly from: string;
  readonly at: Date;
  /** Shows all of it. */
  readonly href: string;
}

/** The audit log: a filter, a page of events, and one of them in full. */
export interface AdminAuditPage {
  readonly shell: ConsoleShell;
  readonly lead: string;
  /** How the chain stands, and when it is not as it should be. */
  readonly chain: { readonly text: string; readonly late: boolean };
  readonly form: {
    readonly q: string;
    readonly types: readonly { readonly label: string; readonly choices: readonly Choice[] }[];
    readonly anyType: boolean;
    readonly outcomes: readonly Choice[];
    readonly actor: string;
    readonly subject: string;
    readonly from: string;
    readonly to: string;
    /** Whether one of the four above is used. */
    readonly more: boolean;
    readonly used: boolean;
  };
  /** What of the filter could not be read; it was left out. */
  readonly problem?: string | undefined;
  readonly record?:
    | {
        readonly text: string;
        readonly facts: readonly {
          readonly name: string;
          readonly value: string;
          /** A moment, shown in the place of the value. */
          readonly at?: Date | undefined;
          /** What the record itself has, where the value says it in words. */
          readonly exact?: string | undefined;
        }[];
      }
    | undefined;
  readonly events: readonly AuditPageEvent[];
  readonly paged: boolean;
  readonly newest: string;
  readonly older?: string | undefined;
  readonly exports: readonly { readonly href: string; readonly label: string }[];
}
