// Consents: what a person allowed an app, remembered across sign-ins. Owns table `consent`.
// It does not hold tokens or grants (oidc/ does); accounts and clients exist elsewhere. Needs: audit.

export { type ConnectedApps, createConnectedApps } from './connected-apps.ts';
export { type Consent, covers, type Permissions } from './consent.ts';
export { type ConsentStore, type Consents, createConsents } from './consents.ts';
