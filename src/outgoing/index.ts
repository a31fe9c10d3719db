// Outgoing: posts to addresses that somebody typed (apps' logout addresses, webhooks), kept off private networks, this
// machine and the metadata services of clouds. It owns no table and knows nothing of what is sent. Needs: nobody.
export { createGuardedPost, type GuardedPost, type PostResult, type Resolve } from './guarded-post.ts';
export { createNetworkGuard, type NetworkGuard } from './network-guard.ts';
export { withinTime } from './within-time.ts';
