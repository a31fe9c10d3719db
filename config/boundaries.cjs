// The three rings of the README's module map, as rules: arrows point inwards only, type imports included.
const order = [
  'outgoing',
  'audit',
  'notifications',
  'keys',
  'accounts',
  'apis',
  'clients',
  'consents',
  'credentials',
  'passkeys',
  'revocation',
  'status-list',
  'api-keys',
  'devices',
  'locations',
  'risk',
  'sessions',
  'one-time-secrets',
  'registration',
  'recovery',
  'account-data',
  'user-import',
  'sign-in',
  'account-settings',
  'back-channel',
  'webhooks',
  'alerts',
  'forward-auth',
];
const domains = order.join('|');
const inside = `^src/(${domains})/`;
const library = (names) => `node_modules/(${names})/`;
const rule = (name, from, to, comment) => ({ name, severity: 'error', from, to, ...(comment && { comment }) });

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    rule('no-cycles', {}, { circular: true }, 'type-only imports count too'),
    rule('shared-is-a-leaf', { path: '^src/shared/' }, { path: '^src/(?!shared/)' }),
    rule(
      'resource-server-stands-alone',
      { path: '^src/resource-server/' },
      { path: '^src/(?!resource-server/)|node_modules/(?!(@types/node|jose)/)' },
      'services import it without the server: jose and Node, nothing else',
    ),
    rule('resource-server-is-for-services', { path: '^src/(?!resource-server/)' }, { path: '^src/resource-server/' }),
    rule('storage-knows-shared-only', { path: '^src/storage/' }, { path: '^src/(?!shared/|storage/)' }),
    rule(
      'domains-know-no-edge',
      { path: inside },
      { path: '^src/(web|rpc|cli|oidc|config|playground|app)/|^src/(app|main)\\.ts$' },
    ),
    rule(
      'domains-know-no-framework',
      { path: inside, pathNot: '-(sql|redis)\\.ts$' },
      { path: library('koa|@koa|ejs|knex|pg|ioredis|oidc-provider') },
    ),
    rule(
      'through-the-front-door',
      { path: '^src/([^/]+)/', pathNot: '^src/app/|-(sql|redis)\\.ts$' },
      { path: `^src/(${domains}|oidc)/(?!index\\.ts$)`, pathNot: '^src/$1/' },
      'another folder is imported by its index.ts only',
    ),
    rule('own-index-is-for-others', { path: '^src/([^/]+)/' }, { path: '^src/$1/index\\.ts$' }),
    rule(
      'stores-are-chosen-in-app',
      { path: '^src/', pathNot: '^src/app\\.ts$|^src/app/|-(sql|redis)\\.ts$' },
      { path: `^src/(${domains}|oidc)/.*-(sql|redis)\\.ts$` },
    ),
    rule(
      'knex-only-in-sql-stores',
      { path: '^src/', pathNot: '-sql\\.ts$|^src/storage/' },
      { path: library('knex|pg') },
    ),
    rule('grpc-only-in-rpc', { path: '^src/', pathNot: '^src/rpc/' }, { path: library('@grpc') }),
    rule('oidc-provider-only-in-oidc', { path: '^src/', pathNot: '^src/oidc/' }, { path: library('oidc-provider') }),
    rule(
      'one-seam-for-provider-internals',
      { pathNot: '^src/oidc/provider-internals\\.ts$' },
      { path: 'oidc-provider/lib/(?!index\\.js)' },
    ),
    rule('environment-is-read-in-config', { path: inside }, { path: '^src/config/' }),
    rule(
      'nobody-imports-the-root',
      { path: '^src/', pathNot: '^src/main\\.ts$|^src/app/' },
      { path: '^src/app\\.ts$' },
    ),
    rule('no-orphans', { orphan: true, path: '^src/', pathNot: '^src/main\\.ts$|\\.d\\.ts$' }, {}),
    ...order.map((domain, index) =>
      rule(
        `${domain}-imports-only-earlier-domains`,
        { path: `^src/${domain}/` },
        { path: `^src/(${order.slice(index + 1).join('|') || 'none'})/` },
      ),
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
