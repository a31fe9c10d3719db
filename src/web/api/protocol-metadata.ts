import { protocolRoutes } from '../../oidc/index.ts';
import { statusListsPath } from '../status-list.ts';
import type { PathItem } from './openapi-types.ts';
import { json, operation } from './protocol-parts.ts';

const discoveryPath = '/.well-known/openid-configuration';

const exampleKeys = { keys: [{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: 'mR3kXq9vT2cW7pLz' }] };

const documents: Record<string, PathItem> = {
  [discoveryPath]: {
    get: operation(
      'discover',
      'Metadata',
      'Discovery document',
      'Where everything is and what it can (OpenID Connect Discovery). Also at `/.well-known/oauth-authorization-server` (RFC 8414).',
      {
        responses: { 200: json('The metadata.', 'Metadata', { issuer: 'https://id.example' }) },
        security: [],
      },
    ),
  },
  [protocolRoutes.jwks]: {
    get: operation(
      'getKeys',
      'Metadata',
      'Public keys',
      'The keys that tokens are verified with (RFC 7517). Fetch them again when a token names a `kid` that you do not know.',
      {
        responses: {
          200: json('The keys.', 'KeySet', exampleKeys, 'application/jwk-set+json'),
        },
        security: [],
      },
    ),
  },
};

const statusLists: Record<string, PathItem> = {
  [statusListsPath]: {
    get: operation(
      'listStatusLists',
      'Metadata',
      'Addresses of the token status lists',
      'Where the lists are that say which signed access tokens were revoked (Token Status List §9.3). Only tokens of APIs that want it are in one.',
      {
        responses: { 200: { description: 'The addresses, as `status_lists`.' } },
        security: [],
      },
    ),
  },
  [`${statusListsPath}/{id}`]: {
    get: operation(
      'getStatusList',
      'Metadata',
      'A token status list',
      'A signed list of bits, one for each token that names it in `status.status_list` (Token Status List §8). It says how long it may be kept.',
      {
        parameters: [
          { name: 'id', in: 'path', required: true, description: 'As in the token.', schema: { type: 'string' } },
        ],
        responses: {
          200: { description: 'A JWT of type `statuslist+jwt`.' },
          304: { description: 'It is still the one with that `ETag`.' },
          404: { description: 'There is no such list.' },
        },
        security: [],
      },
    ),
  },
};

/** What clients and services configure themselves from, and learn without asking about single tokens. */
export const metadataPaths: Readonly<Record<string, PathItem>> = { ...documents, ...statusLists };
