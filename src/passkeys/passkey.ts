import { describeBrowser } from '../notifications/index.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import { providerName } from './provider-names.ts';

/** Passkeys that one account may have. */
export const mostPasskeys = 20;

const longestName = 60;

/** A passkey as its person sees it. */
export interface Passkey {
  readonly id: string;
  readonly name: string;
  /** Where it lives, when that is known; it is what the authenticator says of itself. */
  readonly provider?: string;
  /** Whether it may be on several devices of the person (backup eligible); it stays as it was at the start. */
  readonly synced: boolean;
  /** Whether a copy exists right now (backup state): when not, the device is the only place. */
  readonly backedUp: boolean;
  readonly transports: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly lastUsedAt?: number;
}

/** A passkey as it is kept. */
export interface StoredPasskey {
  readonly id: string;
  readonly accountId: AccountId;
  /** base64url, unique in the whole installation. */
  readonly credentialId: string;
  /** COSE_Key. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly signCount: number;
  readonly transports: readonly string[];
  readonly aaguid: string;
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt?: number;
}

/** What a passkey has just shown. */
export interface UsedPasskey {
  readonly accountId: AccountId;
  readonly passkeyId: string;
  /** The person was verified too, by PIN or body: only then it is two factors and opens both doors. */
  readonly userVerified: boolean;
  readonly synced: boolean;
}

export const viewOf = (stored: StoredPasskey): Passkey => {
  const { id, name, aaguid, backupEligible, backedUp, transports, createdAt, lastUsedAt } = stored;
  const provider = providerName(aaguid);
  return {
    id,
    name,
    synced: backupEligible,
    backedUp,
    transports,
    createdAt,
    ...(provider !== undefined && { provider }),
    ...(lastUsedAt !== undefined && { lastUsedAt }),
  };
};

/** A name that a person gave. @throws AppError `invalid_input` */
export function readName(input: string): string {
  const name = input.normalize('NFC').replace(/\s+/gu, ' ').trim();
  if (name === '' || Array.from(name).length > longestName || /\p{C}/u.test(name)) {
    const message = `A name has 1 to ${longestName} characters.`;
    throw new AppError('invalid_input', message, { fields: { name: message } });
  }
  return name;
}

/** A name for a passkey that was given none: where it lives, else the browser that made it; numbered when it is taken. */
export function defaultName(aaguid: string, userAgent: string | undefined, taken: readonly string[]): string {
  const name = providerName(aaguid) ?? describeBrowser(userAgent) ?? 'Passkey';
  let free = name;
  for (let number = 2; taken.includes(free); number += 1) free = `${name} ${number}`;
  return free;
}

/**
 * `amr` values of a use (RFC 8176 §2): a key that cannot leave its device or one that can, somebody who was there, and
 * two factors when it was the right somebody. Without attestation "cannot leave" is the authenticator's own word.
 */
export const amrOfPasskey = ({ userVerified, synced }: Pick<UsedPasskey, 'userVerified' | 'synced'>): string[] => [
  synced ? 'swk' : 'hwk',
  'user',
  ...(userVerified ? ['mfa'] : []),
];
