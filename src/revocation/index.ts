// Revocation: what was ended before it expired, for tokens that verify without asking us. Owns table `revocation`.
// It does not delete tokens, grants or sessions; who ends one also tells this list. Needs: audit.
export { accessId, type RevocationCheck, type RevocationKind, type StoredRevocation } from './revocation.ts';
export type { RevocationPage, RevocationStore } from './revocation-store.ts';
export { createRevocations, type Revocations } from './revocations.ts';
