import type { Clock } from '../shared/clock.ts';
import { reasonOf } from '../shared/errors.ts';
import { readWebhookSecret, webhookHeaders } from '../shared/standard-webhooks.ts';
import { DeliveryFailure, type FailureKind } from './mail-transport.ts';
import type { TextGateway, TextMessage } from './text-message.ts';

export interface SmsWebhook {
  /** The only address that is ever called; https, or this machine. */
  readonly url: string;
  /** `whsec_` and base64 as Standard Webhooks write it, or any text of 32 characters or more. */
  readonly secret: string;
}

/** Milliseconds that a gateway has for its answer. */
const patience = 10_000;
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** @throws RangeError when texts and codes would go out in the clear, or to an address with a password in it. */
function readUrl(text: string): string {
  const url = new URL(text);
  const safe = url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname));
  if (!safe || url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new RangeError('An SMS gateway is given as an https address without user, password and fragment.');
  }
  return url.href;
}

/** Only an answer about the content is about this message; the rest is about the gateway or our settings. */
function kindOf(status: number): FailureKind {
  if (status === 400 || status === 413 || status === 422) return 'refused';
  return status >= 500 && status !== 503 ? 'later' : 'away';
}

/**
 * Hands text messages to a gateway as signed JSON, in the form of Standard Webhooks ({@link webhookHeaders}). A redirect
 * counts as a failure, so that nobody sends the server elsewhere.
 * @throws RangeError for an address or secret that is not safe to use.
 */
export function createSmsGateway({ url, secret }: SmsWebhook, clock: Clock): TextGateway {
  const [target, key] = [readUrl(url), readWebhookSecret(secret, 'the SMS gateway')];

  const request = ({ id, to, kind, text }: TextMessage, signal: AbortSignal): RequestInit => {
    const now = clock.now();
    const body = JSON.stringify({
      type: 'text.send',
      timestamp: new Date(now).toISOString(),
      data: { id, to, kind, text },
    });
    return {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Sallyport',
        ...webhookHeaders({ id, milliseconds: now, body }, [key]),
      },
      body,
    };
  };

  return {
    async send(message, signal) {
      const response = await fetch(target, request(message, signal)).catch((error: unknown) => {
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
        throw new DeliveryFailure('away', reasonOf(cause), error);
      });
      // Nobody needs the rest of the answer, and a gateway could make it endless.
      await response.body?.cancel().catch(() => undefined);
      if (response.ok) return;
      throw new DeliveryFailure(kindOf(response.status), `The SMS gateway answered ${response.status}.`);
    },
  };
}
