// Outgoing: requests to addresses that somebody typed (apps' logout addresses and keys, webhooks), kept off private networks,
// this machine and the metadata services of clouds. It owns no table and knows nothing of what is sent. Needs: nobody.
export { createGuardedGet, type Document, type GuardedGet } from './guarded-get.ts';
export type { Resolve } from './guarded-lookup.ts';
export { createGuardedPost, type GuardedPost, type PostResult } from './guarded-post.ts';
export { createNetworkGuard, type NetworkGuard } from './network-guard.ts';
export { withinTime } from './within-time.ts';
