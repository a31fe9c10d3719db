// APIs: the resources that access tokens are issued for, and what their scopes mean. Owns table `api`.
// Which client may ask for which API belongs to the clients. Needs: audit.
export type { Api, ApiPatch, ApiScope, NewApi, SigningAlg } from './api.ts';
export type { ApiStore } from './api-store.ts';
export { type Apis, createApis } from './apis.ts';
