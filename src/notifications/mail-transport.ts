import type { Mailbox } from './mailbox.ts';

/** A mail as it is handed to a mail server. */
export interface MailMessage {
  /** Without the angle brackets; the same one for every try, so that a second copy can be recognised (RFC 5322 §3.6.4). */
  readonly messageId: string;
  readonly from: Mailbox;
  /** One plain address. */
  readonly to: string;
  /** Milliseconds since the epoch. */
  readonly date: number;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * What a failed try says about the next one. `refused`: this mail will never be taken. `later`: the server did not take
 * this mail now. `away`: the server takes none, or nobody knows whether it took this one.
 */
export type FailureKind = 'refused' | 'later' | 'away';

/** Why a mail was not handed over. */
export class DeliveryFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DeliveryFailure';
    this.kind = kind;
  }
}

/** Hands mails over to whoever carries them on. */
export interface MailTransport {
  /** Resolves when the server has taken the mail. @throws DeliveryFailure. */
  send(message: MailMessage, signal: AbortSignal): Promise<void>;
  /** Connects, secures the connection and signs in, without a mail. @throws DeliveryFailure. */
  verify(): Promise<void>;
}
