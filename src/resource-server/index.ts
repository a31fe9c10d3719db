// For APIs: are this token and this request good, and for what? `sallyport/resource-server`, a ring of its own: it needs jose
// and Node, knows nothing of the server, and works with any issuer of RFC 9068 tokens. It keeps nothing but memory.
export type { Access, AccessClaims } from './access.ts';
export { AccessError, type AccessErrorCode, type ChallengeContext } from './access-error.ts';
export { type Demand, forExpress, forFastify, forKoa, forRequest, toResponse } from './adapters.ts';
export { type ClientCertificate, certificateThumbprint } from './certificate.ts';
export { createResourceServer, type ResourceServer } from './create-resource-server.ts';
export type { DpopOptions, IntrospectionOptions, ResourceServerOptions } from './options.ts';
export type { ReplayStore } from './replay-window.ts';
export { type AuthenticationDemand, requireAcr, requirePermission, requireRole, requireScope } from './require.ts';
export { resourceMetadata, resourceMetadataUrl } from './resource-metadata.ts';
export type { AuthorizedRequest, TokenRequest } from './token-request.ts';
