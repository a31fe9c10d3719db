/** The closed set of things worth an audit row. The first word is what it is about. */
export const auditTypes = [
  'sign_in.succeeded',
  'sign_in.failed',
  'sign_in.locked',
  'second_factor.failed',
  'second_factor.enrolled',
  'second_factor.removed',
  'backup_code.used',
  'backup_codes.created',
  'password.changed',
  'password.rehashed',
  'password.change_required',
  'password.change_failed',
  'password.breach_check_failed',
  'passkey.added',
  'passkey.renamed',
  'passkey.removed',
  'passkey.used',
  'consent.granted',
  'consent.denied',
  'session.ended',
  'session.refused',
  'device.first_seen',
  'device.remembered',
  'device.forgotten',
  'device.copied',
  'token.issued',
  'token.revoked',
  'token.reuse_detected',
  'grant.revoked',
  'account.created',
  'account.updated',
  'account.disabled',
  'account.enabled',
  'account.locked',
  'account.deleted',
  'account.restored',
  'account.purged',
  'account.exported',
  'user_import.finished',
  'registration.refused',
  'invitation.created',
  'email.verified',
  'email.change_requested',
  'email.changed',
  'password.reset_requested',
  'password.reset',
  'recovery_link.created',
  'recovery_link.used',
  'recovery_link.failed',
  'notice.suppressed',
  'risk.detected',
  'api_key.created',
  'api_key.rotated',
  'api_key.revoked',
  'api_key.used_first',
  'token.exchanged',
  'token.impersonated',
  'client.exchange_allowed',
  'client.exchange_removed',
  'client.created',
  'client.updated',
  'client.secret_rotated',
  'client.removed',
  'api.created',
  'api.updated',
  'api.removed',
  'secrets.resealed',
  'webhook.created',
  'webhook.removed',
  'webhook.enabled',
  'webhook.disabled',
  'webhook.secret_rotated',
  'alert.raised',
  'alert.resolved',
  'audit.pruned',
  'audit.exported',
  'key.published',
  'key.signing',
  'key.retiring',
  'key.removed',
  'key.revoked',
] as const;

export type AuditType = (typeof auditTypes)[number];

/** Who did it: a person, an app, an operator at the command line, or the server itself. */
export type Actor =
  | { readonly kind: 'account' | 'client'; readonly id: string }
  | { readonly kind: 'operator' | 'system' | 'stranger' };

export interface AuditEvent {
  readonly type: AuditType;
  readonly actor: Actor;
  readonly outcome: 'success' | 'failure';
  /** Whom or what it was done to: an account id, client id, key id. */
  readonly subject?: string;
  readonly clientId?: string;
  /** Address of the browser or service, after trusted proxies. */
  readonly ip?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
  /**
   * Handle of a session; it opens nothing. Said here, it is the session that the event is about. Left out, the event gets
   * the session in which its request is done, once that is known: `noteAuditSession`.
   */
  readonly sessionId?: string;
  /** Not stored: the session of whoever does it, which goes on where all others of the account end. */
  readonly keptSession?: string;
  /** Not stored: the sign-in in which it is done, which goes on where all others of the account begin again. */
  readonly keptFlow?: string;
  /** Small facts without secrets, for the operator. */
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}
