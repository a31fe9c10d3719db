// Forward auth: whether a request that waits at a proxy may pass, by its token or by the session of its browser, and what
// the app behind is told of who it is. Owns no table: the cookie on the app's host is sealed and stands on the session and
// the grant, which are asked each time. It knows neither HTTP nor gRPC. Needs: accounts, clients, revocation, sessions.
export type { Answer, Mode } from './answer.ts';
export { createAppCookies } from './app-cookies.ts';
export { createForwardAuth, type ForwardAuth } from './forward-auth.ts';
export { identityHeaderNames, isLookalike } from './identity-headers.ts';
export { audiencesOf, judgeToken, listOf, type Reason, shortfallOf, type TokenFacts } from './judge-token.ts';
export type { OriginalRequest } from './original-request.ts';
export type { ForwardAuthParts } from './parts.ts';
export { gatePaths } from './protected-app.ts';
export { isActive, type RefusalLimit } from './refusal-limit.ts';
export { type Requirement, readRequirement } from './requirement.ts';
