import type { AccountId } from '../shared/ids.ts';
import type { Cap } from './mail-template.ts';

/** What a text message is for; caps count each kind by itself. */
export type TextKind = 'sign-in-code' | 'verify-phone';

/** How many of each kind a phone gets, and an account asks for. */
export const textCaps: Readonly<Record<TextKind, Cap>> = {
  'sign-in-code': { max: 5, windowSeconds: 3600 },
  'verify-phone': { max: 3, windowSeconds: 3600 },
};

/** A text message to be sent. */
export interface NewText {
  /** E.164, as it is stored with the account: `+` and 7 to 15 digits. */
  readonly phoneNumber: string;
  readonly kind: TextKind;
  /** The whole message, 500 characters at most. */
  readonly text: string;
  readonly dedupeKey?: string | undefined;
  readonly account?: AccountId | undefined;
  /** From when on it is of no use, milliseconds. Default: ten minutes from now. */
  readonly expiresAt?: number | undefined;
}

/** A text message as it is handed to a gateway. */
export interface TextMessage {
  /** The same one for every try, so that a second copy can be recognised. */
  readonly id: string;
  readonly to: string;
  readonly kind: string;
  readonly text: string;
}

/** Hands text messages over to whoever carries them on. */
export interface TextGateway {
  /** Resolves when the gateway has taken the message. @throws DeliveryFailure. */
  send(message: TextMessage, signal: AbortSignal): Promise<void>;
}

export const longestText = 500;

/** The number that a gateway is told; undefined for anything that is not one plain E.164 number. */
export function deliverableNumber(phoneNumber: string): string | undefined {
  const bare = phoneNumber.slice(0, 40).replaceAll(/[\s().-]/g, '');
  return /^\+[1-9]\d{6,14}$/.test(bare) ? bare : undefined;
}

/**
 * The words that a code travels in. The last line ties it to our host: browsers offer it on our pages and on no others
 * (WICG, "Origin-bound one-time codes delivered via SMS").
 */
export const codeText = (about: {
  readonly code: string;
  readonly siteName: string;
  /** Of the issuer, without port. */
  readonly hostname: string;
  readonly lifeSeconds: number;
}): string => {
  const { code, siteName, hostname, lifeSeconds } = about;
  const minutes = Math.max(1, Math.floor(lifeSeconds / 60));
  const time = minutes === 1 ? 'a minute' : `${minutes} minutes`;
  return `${code} is your code for ${siteName}. It works once, for ${time}. Tell it to nobody.\n\n@${hostname} #${code}`;
};
