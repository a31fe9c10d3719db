import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditEvent } from './event.ts';

/** What is known of a request: from where it comes, and by and by the session that it belongs to. */
export type AuditContext = Partial<Pick<AuditEvent, 'ip' | 'userAgent' | 'requestId' | 'sessionId'>>;

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

const contexts = new AsyncLocalStorage<Mutable<AuditContext>>();

/** Runs this for a request: events in it that do not say themselves where they came from have this from it. */
export const withAuditContext = <T>(context: AuditContext, work: () => T): T => contexts.run({ ...context }, work);

/** The request of this call chain, as far as it is known. */
export const currentAuditContext = (): AuditContext | undefined => contexts.getStore();

/**
 * Says in which session this request is done, by its handle: events that come after this and name none have it. What was
 * recorded before stays as it is. Outside a request, and for an unknown session, it does nothing.
 */
export function noteAuditSession(handle: string | undefined): void {
  const context = contexts.getStore();
  if (context && handle !== undefined) context.sessionId = handle;
}
