// OIDC: the protocol, by oidc-provider, which nobody else imports. Owns table `artifact` and its Redis counterpart.
// It keeps no accounts, clients or keys (domains do) and draws no pages (web/ does, behind `HostedPages`).
export type { AccessTokens, Caller } from './access-tokens.ts';
export { apiKeyClient, type KeyToken, type KeyTokens } from './api-key-tokens.ts';
export type { AppCodes, AppSignIn } from './app-codes.ts';
export type { ArtifactStores } from './artifact-store.ts';
export { acrValues } from './authentication-context.ts';
export type { BrowserSessions, ConsoleSignIn, CurrentSession, SessionProof } from './browser-sessions.ts';
export { identityScopes } from './claims.ts';
export { type ClientDocuments, createClientDocuments, longestDocument } from './client-documents.ts';
export { consoleCallbackPath, consoleClient, consoleClientId } from './console-client.ts';
export type { OidcDomains } from './domains.ts';
export { type ClientProof, createProtocolCalls, type ProtocolAnswer, type ProtocolCalls } from './first-party-calls.ts';
export type { DirectSignIn, FirstPartyCodes } from './first-party-codes.ts';
export type { Order, Wanted } from './first-party-order.ts';
export { authorizationChallengePath } from './first-party-redemption.ts';
export type { HostedPages, ProtocolError } from './hosted-pages.ts';
export type { KeptAnswer } from './interaction-answers.ts';
export type { BrowserSession, Interaction, Interactions } from './interactions.ts';
export type { ProtocolMeter } from './provider-events.ts';
export type { RefreshCounter } from './refresh-limit.ts';
export { allowedScopes } from './resource-servers.ts';
export { interactionPath, isInteractionUid, protocolRoutes } from './routes.ts';
export { createOidc, type Oidc } from './server.ts';
export type { OidcSettings } from './settings.ts';
export {
  createExchangeRights,
  type ExchangeMode,
  type ExchangeRight,
  type ExchangeRightStore,
  type ExchangeRights,
} from './token-exchange-rights.ts';
export type { Introspection, TokenQuestions } from './token-questions.ts';
