import type { AuditRow, AuditType } from '../audit/index.ts';

/** What receivers are promised about one type of event. */
export interface EventShape {
  /** When it is sent, for the documentation. */
  readonly text: string;
  /** What `data.subject` names, if anything. */
  readonly subject?: 'account' | 'client' | 'account or client' | 'API' | 'key' | 'webhook' | 'alert rule' | 'token';
  /** Members of `data.details`. */
  readonly details?: readonly string[];
  /** Members of `data.details` that people chose; only where an endpoint asked for personal data. */
  readonly personal?: readonly string[];
}

const account = (text: string, details: readonly string[] = [], personal: readonly string[] = []): EventShape => ({
  text,
  subject: 'account',
  details,
  personal,
});

const apiKey = (text: string, details: readonly string[]): EventShape => ({
  text,
  subject: 'account or client',
  details: ['key', 'audience', ...details],
  personal: ['name'],
});

/**
 * The closed set of events that leave the server, version 1, by the audit type that each is made from. Within a version
 * types and members are added, never removed or given another meaning. What is not here is told to nobody.
 */
export const webhookEvents = {
  'account.created': account('An account was made.'),
  'account.updated': account('Something about an account changed; `fields` names it.', ['fields']),
  'account.disabled': account('An account was suspended. All its access has ended.'),
  'account.enabled': account('A suspended account was opened again.'),
  'account.locked': account('An account was locked until its owner does something.'),
  'account.deleted': account('An account was deleted. It can be restored for some days.'),
  'account.restored': account('A deleted account was restored.'),
  'account.purged': account('Everything personal of a deleted account was removed.'),
  'account.exported': account('Somebody took a copy of the data of an account.'),
  'email.verified': account('An address was confirmed.'),
  'email.changed': account('An account has another address.'),
  'sign_in.succeeded': account('Somebody signed in.', ['amr', 'acr']),
  'sign_in.failed': account('A try to sign in failed. The subject is missing when there is no such account.', [
    'reason',
  ]),
  'sign_in.locked': account('An account is paused after too many failed tries.', ['failures', 'until']),
  'second_factor.failed': account('A second factor was wrong.', ['reason']),
  'second_factor.enrolled': account('A second factor was turned on.'),
  'second_factor.removed': account('A second factor was removed.'),
  'backup_code.used': account('A backup code was used.', ['left']),
  'backup_codes.created': account('New backup codes were made.'),
  'passkey.added': account('A passkey was added.', ['passkey', 'synced'], ['name']),
  'passkey.removed': account('A passkey was removed.', ['passkey', 'left'], ['name']),
  'password.changed': account('A password was changed.', ['first', 'mustChange']),
  'password.reset': account('A password was reset by mail.'),
  'password.change_required': account('An account has to choose a new password.'),
  'recovery_link.created': account('An operator made a way back in.'),
  'recovery_link.used': account('A way back in was used.', ['lost', 'removes']),
  'session.ended': account('Somebody was signed out.', ['session', 'reason', 'apps']),
  'session.refused': account('A sign-in was one session too many.', ['limit']),
  'device.first_seen': account('Somebody signed in with a browser that was new to the account.', ['first']),
  'consent.granted': account('Somebody allowed an app access.', ['scope']),
  'grant.revoked': account('The access of an app ended.', ['kind', 'reason']),
  'token.revoked': { text: 'Tokens were revoked.', subject: 'token', details: ['kind', 'reason'] },
  'token.reuse_detected': account('A refresh token or code was used twice, which ended what came from it.'),
  'token.impersonated': account('A service got a token in the name of an account.', [
    'audience',
    'scopes',
    'from',
    'actor',
  ]),
  'risk.detected': account('Something about a sign-in or session was unusual; `signals` says what.', [
    'session',
    'signals',
    'action',
  ]),
  'api_key.created': apiKey('An API key was made.', ['scopes']),
  'api_key.rotated': apiKey('An API key has a successor.', ['overlapSeconds']),
  'api_key.revoked': apiKey('An API key was revoked.', ['reason']),
  'client.created': { text: 'An app was registered.', subject: 'client' },
  'client.updated': { text: 'An app changed; `fields` names what.', subject: 'client', details: ['fields'] },
  'client.secret_rotated': { text: 'An app has a new secret.', subject: 'client' },
  'client.removed': { text: 'An app was removed.', subject: 'client' },
  'api.created': { text: 'An API was registered.', subject: 'API' },
  'api.updated': { text: 'An API changed; `fields` names what.', subject: 'API', details: ['fields'] },
  'api.removed': { text: 'An API was removed.', subject: 'API' },
  'key.published': { text: 'A new signing key is in the JWKS.', subject: 'key' },
  'key.signing': { text: 'A signing key took over.', subject: 'key' },
  'key.retiring': { text: 'A signing key signs no more.', subject: 'key' },
  'key.removed': { text: 'A signing key left the JWKS.', subject: 'key' },
  'key.revoked': { text: 'A signing key was revoked.', subject: 'key' },
  'webhook.disabled': { text: 'A webhook failed for days and gets no more events.', subject: 'webhook' },
  'alert.raised': {
    text: 'An alert rule found something.',
    subject: 'alert rule',
    details: ['value', 'threshold', 'since', 'summary'],
  },
  'alert.resolved': {
    text: 'What an alert told of is over.',
    subject: 'alert rule',
    details: ['since', 'summary'],
  },
} as const satisfies Partial<Record<AuditType, EventShape>>;

/** A type of the closed set. */
export type WebhookEventType = keyof typeof webhookEvents;

/** Sent by `webhooks test` only. */
export const testEventType = 'webhook.test';

export const isWebhookEvent = (type: string): type is WebhookEventType => Object.hasOwn(webhookEvents, type);

/** A message as receivers read it. */
export interface WebhookMessage {
  readonly type: string;
  readonly version: 1;
  /** When it happened, ISO 8601. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

function pick(row: AuditRow, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.flatMap((name) => (row.details?.[name] === undefined ? [] : [[name, row.details[name]]])),
  );
}

/** What an event says: ids and the facts of its shape; addresses, browsers and chosen names with `personalData` only. */
export function messageOf(row: AuditRow & { readonly type: WebhookEventType }, personalData: boolean): WebhookMessage {
  const { details: names = [], personal = [] }: EventShape = webhookEvents[row.type];
  const details = pick(row, personalData ? [...names, ...personal] : names);
  return {
    type: row.type,
    version: 1,
    timestamp: new Date(row.at).toISOString(),
    data: {
      id: row.id,
      outcome: row.outcome,
      actor: row.actor,
      ...(row.subject !== undefined && { subject: row.subject }),
      ...(row.clientId !== undefined && { client_id: row.clientId }),
      ...(row.sessionId !== undefined && { session_id: row.sessionId }),
      ...(row.requestId !== undefined && { request_id: row.requestId }),
      ...(Object.keys(details).length > 0 && { details }),
      ...(personalData && row.ip !== undefined && { ip: row.ip }),
      ...(personalData && row.userAgent !== undefined && { user_agent: row.userAgent }),
    },
  };
}

/** The same message as endpoints get it that did not ask for personal data. */
export function withoutPersonalData(body: string): string {
  const message = JSON.parse(body) as WebhookMessage;
  const { ip: _ip, user_agent: _browser, details, ...data } = message.data;
  const shape: EventShape | undefined = isWebhookEvent(message.type) ? webhookEvents[message.type] : undefined;
  const facts = Object.entries(details ?? {}).filter(([name]) => shape?.details?.includes(name));
  return JSON.stringify({
    ...message,
    data: { ...data, ...(facts.length > 0 && { details: Object.fromEntries(facts) }) },
  });
}
