import type { Clock } from '../shared/clock.ts';
import { newReference } from '../shared/ids.ts';
import type { AuditEvent } from './event.ts';

export interface AuditRow extends AuditEvent {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface AuditStore {
  /** Appends a row; part of the caller's transaction when it has one, so that no action goes unrecorded. */
  append(row: AuditRow): Promise<void>;
  /** Newest first. */
  list(filter: { readonly subject?: string; readonly type?: string; readonly limit: number }): Promise<AuditRow[]>;
}

export interface AuditLog {
  record(event: AuditEvent): Promise<void>;
  list(filter: { readonly subject?: string; readonly type?: string; readonly limit: number }): Promise<AuditRow[]>;
}

/** The record of what happened. A failure to write it fails the action that it belongs to. */
export const createAuditLog = (store: AuditStore, clock: Clock): AuditLog => ({
  record: (event) => store.append({ ...event, id: newReference('evt'), at: clock.now() }),
  list: (filter) => store.list(filter),
});
