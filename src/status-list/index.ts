// Status lists (draft-ietf-oauth-status-list): one bit for each access token that asked for it, so that a service that
// verifies offline learns of revocations. Owns tables `status_list`, `status_block` and `status_entry`; what is revoked it
// reads from `revocation`, `client` and `api_key`. Not here: the claim in the token (oidc) and the address (web). Needs: keys.
export { listSize } from './encode-list.ts';
export type { PublishedList } from './publish-lists.ts';
export { createTokenSigner, type TokenSigner } from './sign-token.ts';
export type { StatusAncestor, StatusReference, StatusSubject } from './status-entry.ts';
export { createStatusLists, type StatusLists } from './status-list.ts';
export type { StatusListStore } from './status-list-store.ts';
