import type { AuditEvent } from '../audit/index.ts';

/** What the caller knows about who did it and from where; the actor is the account itself when it is left out. */
export type AuditContext = Partial<
  Pick<AuditEvent, 'actor' | 'clientId' | 'ip' | 'userAgent' | 'requestId' | 'keptSession' | 'keptFlow'>
>;
