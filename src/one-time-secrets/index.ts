// One-time secrets: tokens in mailed links and codes to type, each bound to its purpose and person and used once.
// Owns tables `one_time_link`, `one_time_code` and `one_time_code_quota`. It sends nothing and needs nobody.
export type { CodeKey, CodeQuota, CodeStore } from './code-store.ts';
export { type CodeOutcome, type CodePolicy, type Codes, codePolicy } from './codes.ts';
export type { Link, LinkData, LinkPurpose, MadeLink, NewLink } from './link.ts';
export type { LinkStore } from './link-store.ts';
export type { Links } from './links.ts';
export { createOneTimeSecrets, type OneTimeSecrets } from './one-time-secrets.ts';
