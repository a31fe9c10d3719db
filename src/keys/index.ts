// Keys: what the server signs with; rotation without a restart and without a failed verification; sealed at rest.
// States: pending, published, signing, retiring, removed; moments in SQL decide, so nodes need no agreement.
// Owns tables `signing_key` and `lease`. Not here: tokens and the JWKS endpoint (oidc). Needs audit.
export type { KeysHealth } from './freshness.ts';
export type { KeyState } from './key.ts';
export type { KeySet } from './key-set.ts';
export type { KeyStore } from './key-store.ts';
export type { KeyView } from './key-view.ts';
export { createKeys, type Keys, type KeysOptions } from './keys.ts';
export type { LeaseStore } from './lease-store.ts';
export type { Algorithm, KeyPolicy } from './policy.ts';
