import { createHmac } from 'node:crypto';

const prefix = 'whsec_';

/**
 * Reads a signing secret as Standard Webhooks write it, `whsec_` and base64; any other text stands for its own bytes.
 * @param owner whose it is, for the complaint
 * @throws RangeError when it has fewer than 24 bytes.
 */
export function readWebhookSecret(text: string, owner = 'a webhook'): Buffer {
  const key = text.startsWith(prefix) ? Buffer.from(text.slice(prefix.length), 'base64') : Buffer.from(text);
  if (key.length < 24) throw new RangeError(`The secret of ${owner} needs 24 bytes or more.`);
  return key;
}

/** The bytes of a new secret as its text. */
export const writeWebhookSecret = (bytes: Uint8Array): string => `${prefix}${Buffer.from(bytes).toString('base64')}`;

/**
 * The three headers of Standard Webhooks: `webhook-id` is the same for every try of one message, `webhook-timestamp` is
 * of this try in whole seconds, and `webhook-signature` has `v1,` and the HMAC-SHA-256 of `id.timestamp.body` for each key.
 */
export function webhookHeaders(
  message: { readonly id: string; readonly milliseconds: number; readonly body: string },
  keys: readonly Buffer[],
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(message.milliseconds / 1000));
  const signed = `${message.id}.${timestamp}.${message.body}`;
  const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  return { 'webhook-id': message.id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
