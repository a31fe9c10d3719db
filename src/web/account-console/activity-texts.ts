import type { AuditRow, AuditType } from '../../audit/index.ts';
import { auditTexts } from '../admin-console/audit-texts.ts';
import type { IconName } from '../icons.ts';

interface Words {
  readonly text: string;
  /** With the name of the app in the place of `%`, when the row has one. */
  readonly withApp?: string;
  readonly icon: IconName;
}

const words = (icon: IconName, text: string, withApp?: string): Words => ({
  icon,
  text,
  ...(withApp !== undefined && { withApp }),
});

/** What happened, as one tells it to the person whom it happened to. What is not here has the words of the admin console. */
const own: Partial<Record<AuditType, Words>> = {
  'sign_in.succeeded': words('device', 'Signed in', 'Signed in for %'),
  'sign_in.failed': words('alert', 'A sign-in failed', 'A sign-in for % failed'),
  'sign_in.locked': words('alert', 'Sign-in paused after too many wrong tries'),
  'second_factor.failed': words('alert', 'A wrong second factor was given'),
  'second_factor.enrolled': words('doors', 'Second factor turned on'),
  'second_factor.removed': words('doors', 'Second factor turned off'),
  'backup_code.used': words('key', 'A backup code was used'),
  'backup_codes.created': words('key', 'New backup codes were made'),
  'password.changed': words('password', 'Password changed'),
  'password.change_required': words('password', 'A new password was asked for'),
  'password.reset_requested': words('mail', 'A link to reset the password was asked for'),
  'password.reset': words('password', 'Password reset by mail'),
  'passkey.added': words('key', 'Passkey added'),
  'passkey.renamed': words('key', 'Passkey renamed'),
  'passkey.removed': words('key', 'Passkey removed'),
  'passkey.used': words('key', 'Passkey used'),
  'consent.granted': words('apps', 'Access allowed to an app', 'Access allowed to %'),
  'consent.denied': words('apps', 'Access denied to an app', 'Access denied to %'),
  'grant.revoked': words('apps', 'Access of an app removed', 'Access of % removed'),
  'token.issued': words('apps', 'An app was opened', '% was opened'),
  'token.reuse_detected': words('alert', 'A key of an app was used twice', 'A key of % was used twice'),
  'session.ended': words('device', 'Signed out'),
  'session.refused': words('alert', 'A sign-in was refused: too many devices are signed in'),
  'device.first_seen': words('device', 'First sign-in with a new device'),
  'device.remembered': words('device', 'Device remembered for the second factor'),
  'device.forgotten': words('device', 'Device not remembered any more'),
  'device.copied': words('alert', 'A remembered device was copied, so it was forgotten'),
  'account.created': words('person', 'Account made'),
  'account.updated': words('person', 'Profile changed'),
  'account.disabled': words('alert', 'Account suspended'),
  'account.enabled': words('check', 'Account enabled'),
  'account.locked': words('alert', 'Account locked'),
  'account.deleted': words('alert', 'Account deleted'),
  'account.restored': words('check', 'Account restored'),
  'account.exported': words('download', 'Data of the account downloaded'),
  'email.verified': words('mail', 'Email address confirmed'),
  'email.change_requested': words('mail', 'Change of the email address started'),
  'email.changed': words('mail', 'Email address changed'),
  'recovery_link.created': words('mail', 'Recovery link made'),
  'recovery_link.used': words('key', 'Recovery link used'),
  'recovery_link.failed': words('alert', 'Recovery link tried in vain'),
  'api_key.created': words('key', 'API key made'),
  'api_key.rotated': words('key', 'API key renewed'),
  'api_key.revoked': words('key', 'API key revoked'),
  'api_key.used_first': words('key', 'API key used for the first time'),
  'token.impersonated': words('alert', 'A service acted in your name', '% acted in your name'),
  'risk.detected': words('alert', 'Something looked unusual'),
  'registration.refused': words('mail', 'Somebody tried to register with your address'),
};

/** What is about the works of the server, or told by another row already. */
const hidden: ReadonlySet<AuditType> = new Set<AuditType>([
  'password.rehashed',
  'password.breach_check_failed',
  'notice.suppressed',
  'token.revoked',
  'token.exchanged',
]);

/** The kinds of events that a person sees. */
export const activityTypes: readonly AuditType[] = (Object.keys(auditTexts) as AuditType[]).filter(
  (type) => !hidden.has(type) && !/^(client|api|key)\./.test(type),
);

/** How a sign-in ended, where the person did not sign out themselves. */
const endings: Readonly<Record<string, Words>> = {
  idle: words('device', 'Signed out after a while without use'),
  expired: words('device', 'Signed out, because the sign-in was too long ago'),
  'signed-out': words('device', 'Signed out'),
};
const anotherEnding = words('device', 'A device was signed out');
const firstPassword = words('password', 'Password set');

function wordsFor({ type, details }: Pick<AuditRow, 'type' | 'details'>): Words {
  const reason = type === 'session.ended' ? details?.reason : undefined;
  if (typeof reason === 'string') return (Object.hasOwn(endings, reason) && endings[reason]) || anotherEnding;
  if (type === 'password.changed' && details?.first === true) return firstPassword;
  return own[type] ?? words('info', auditTexts[type]);
}

/** A row in words. @param app the name of the app that it is about */
export function activityWords(
  row: Pick<AuditRow, 'type' | 'outcome' | 'details'>,
  app?: string,
): { readonly text: string; readonly icon: IconName; readonly failed: boolean } {
  const { text, withApp, icon } = wordsFor(row);
  // A name may have a $ in it, which would mean something in a replacement text.
  // What has the sign of an alert says in its words that it failed.
  const failed = row.outcome === 'failure' && icon !== 'alert';
  return { icon, failed, text: withApp !== undefined && app !== undefined ? withApp.replace('%', () => app) : text };
}
