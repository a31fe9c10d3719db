// API keys: what services and scripts show in the place of a token, for one API and exactly its scopes. Owns table
// `api_key`. It keeps no text of a key, makes no tokens (oidc/ does) and counts no requests. Needs: audit, accounts,
// apis, clients, revocation.
export { type ApiKey, type KeyOwner, keyClientId, type LiveApiKey, type NewApiKey } from './api-key.ts';
export type { ApiKeyStore } from './api-key-store.ts';
export { type ApiKeys, createApiKeys, type IssuedKey } from './api-keys.ts';
export { keyPrefix, looksLikeKey } from './key-text.ts';
export type { KeyMode } from './parts.ts';
