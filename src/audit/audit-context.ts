import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditEvent } from './event.ts';

/** What is known of a request before anybody acts in it. */
export type AuditContext = Partial<Pick<AuditEvent, 'ip' | 'userAgent' | 'requestId' | 'sessionId'>>;

const contexts = new AsyncLocalStorage<AuditContext>();

/** Runs this for a request: events in it that do not say themselves where they came from have this from it. */
export const withAuditContext = <T>(context: AuditContext, work: () => T): T => contexts.run(context, work);

/** The request of this call chain, as far as it is known. */
export const currentAuditContext = (): AuditContext | undefined => contexts.getStore();
