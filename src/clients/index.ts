// Clients: the apps that may ask for tokens, what they may ask for, and their secrets (hashed).
// Owns tables `client` and `client_secret`. Grants, tokens and consent are not here. Needs: audit.
export type {
  Client,
  ClientAuthMethod,
  ClientKind,
  ClientMetadata,
  ClientPatch,
  MetadataInput,
  NewClient,
  PublicJwk,
} from './client.ts';
export { responseTypes } from './client-kinds.ts';
export type { ClientRecord, ClientStore, StoredSecret } from './client-store.ts';
export { type Clients, createClients } from './clients.ts';
export { ownMetadata, toProviderMetadata } from './provider-metadata.ts';
