// Back-channel: tells apps that a session has ended (OpenID Connect Back-Channel Logout 1.0), at least once each, and
// keeps a log of it. Owns table `logout_delivery`; its SQL reads `client` and `session`. It ends nothing and signs
// nothing: rows come from the transaction that ends a session, tokens from oidc/. Needs: clients, sessions, outgoing.

export { type BackChannel, createBackChannel } from './back-channel.ts';
export { type DeliveryPolicy, deliveryPolicy } from './deliver-logouts.ts';
export type { DeliveryStatus, EndedForApps, LogoutDelivery } from './delivery.ts';
export type { DeliveryFilter, DeliveryStore } from './delivery-store.ts';
export { createLogoutPost, type LogoutPost } from './post-logout.ts';
export { sidOf } from './sid.ts';
