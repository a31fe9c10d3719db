import type { Clock } from '../shared/clock.ts';
import { randomText } from '../shared/ids.ts';
import { currentAuditContext } from './audit-context.ts';
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
  /** Writes an event. What it does not say of the request it happens in is taken from there. */
  record(event: AuditEvent): Promise<void>;
  list(filter: { readonly subject?: string; readonly type?: string; readonly limit: number }): Promise<AuditRow[]>;
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** An id that sorts by its time: 45 bits of milliseconds, 60 random ones. New rows then go to the end of the index. */
export function newEventId(at: number): string {
  let time = '';
  for (let rest = at, digit = 0; digit < 9; digit += 1, rest = Math.floor(rest / 32)) {
    time = alphabet.charAt(rest % 32) + time;
  }
  return `evt_${time}${randomText(12)}`;
}

/** The record of what happened. A failure to write it fails the action that it belongs to. */
export const createAuditLog = (store: AuditStore, clock: Clock): AuditLog => ({
  record(event) {
    const at = clock.now();
    const { actor } = event;
    const client = actor.kind === 'client' && { clientId: actor.id };
    // Whoever keeps a session is in it.
    const session = event.keptSession !== undefined && { sessionId: event.keptSession };
    return store.append({ ...client, ...currentAuditContext(), ...session, ...event, id: newEventId(at), at });
  },
  list: (filter) => store.list(filter),
});
