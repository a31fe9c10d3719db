// Revocation: what was ended before it expired, for tokens that verify without asking us. Owns table `revocation`.
// It does not delete tokens, grants or sessions; who ends one also tells this list. Needs: audit.
export {
  accessId,
  everythingId,
  type ListedRevocation,
  type RevocationCheck,
  type RevocationKind,
  revocationKinds,
  type StoredRevocation,
} from './revocation.ts';
export type { RevocationFilter, RevocationPage, RevocationStore } from './revocation-store.ts';
export { createRevocations, type RevocationStatistics, type Revocations } from './revocations.ts';
