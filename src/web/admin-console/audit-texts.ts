import type { Actor, AuditType } from '../../audit/index.ts';

/** Each kind of event in words; the compiler finds one that is missing. */
export const auditTexts: Readonly<Record<AuditType, string>> = {
  'sign_in.succeeded': 'Signed in',
  'sign_in.failed': 'Sign-in failed',
  'sign_in.locked': 'Paused after too many tries',
  'second_factor.failed': 'Second factor failed',
  'second_factor.enrolled': 'Second factor turned on',
  'second_factor.removed': 'Second factor removed',
  'backup_code.used': 'Backup code used',
  'backup_codes.created': 'Backup codes made',
  'password.changed': 'Password changed',
  'password.rehashed': 'Password hash renewed',
  'consent.granted': 'Access allowed',
  'consent.denied': 'Access denied',
  'session.ended': 'Signed out',
  'token.issued': 'Tokens issued',
  'token.revoked': 'Token revoked',
  'token.reuse_detected': 'Token used twice',
  'grant.revoked': 'Access ended',
  'account.created': 'Account created',
  'account.updated': 'Account changed',
  'account.disabled': 'Account suspended',
  'account.enabled': 'Account enabled',
  'client.created': 'App registered',
  'client.updated': 'App changed',
  'client.secret_rotated': 'App secret renewed',
  'client.removed': 'App removed',
  'api.created': 'API registered',
  'api.updated': 'API changed',
  'api.removed': 'API removed',
  'key.published': 'Signing key published',
  'key.signing': 'Signing key took over',
  'key.retiring': 'Signing key retired',
  'key.removed': 'Signing key removed',
  'key.revoked': 'Signing key revoked',
};

/** Who did it, when it was nobody with a name. */
export const actorTexts: Readonly<Record<Exclude<Actor['kind'], 'account' | 'client'>, string>> = {
  operator: 'Command line',
  system: 'The server',
  stranger: 'Somebody unknown',
};
