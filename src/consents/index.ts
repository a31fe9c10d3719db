// Consents: what a person allowed an app, remembered across sign-ins. Owns table `consent`.
// It does not hold tokens or grants (oidc/ does) and asks nobody; accounts and clients exist elsewhere.
export { type Consent, covers, type Permissions } from './consent.ts';
export { type ConsentStore, type Consents, createConsents } from './consents.ts';
