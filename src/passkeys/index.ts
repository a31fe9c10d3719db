// Passkeys: registering, using, naming and removing WebAuthn credentials. Owns tables `passkey`, `passkey_user` and
// `passkey_challenge`. It says who answered a challenge; whether they may sign in, what else they need and how often
// one may try belongs to sign-in. Needs: audit, the browser's name from notifications, and the account's row to exist.
export type { CreationOptions, PasskeyOwner, RequestOptions } from './begin-ceremony.ts';
export type { CeremonyStore } from './ceremony-store.ts';
export { amrOfPasskey, mostPasskeys, type Passkey, type UsedPasskey } from './passkey.ts';
export type { PasskeyStore } from './passkey-store.ts';
export { createPasskeys, type Passkeys, type PasskeysOptions } from './passkeys.ts';
export { type RelyingParty, relyingPartyOf } from './relying-party.ts';
export type { AccountSignals, UnknownSignal } from './signals.ts';
