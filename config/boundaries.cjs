// The three rings of the README's module map, as rules: arrows point inwards only, type imports included.
const order = ['audit', 'keys', 'accounts', 'apis', 'clients', 'credentials', 'revocation', 'sign-in'];
const domains = order.join('|');
const inside = `^src/(${domains})/`;
const library = (names) => `node_modules/(${names})/`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', comment: 'type-only imports count too', severity: 'error', from: {}, to: { circular: true } },
    { name: 'shared-is-a-leaf', severity: 'error', from: { path: '^src/shared/' }, to: { path: '^src/(?!shared/)' } },
    {
      name: 'domains-know-no-edge',
      severity: 'error',
      from: { path: inside },
      to: { path: '^src/(web|rpc|cli|oidc|config|playground|app|main)' },
    },
    {
      name: 'domains-know-no-framework',
      severity: 'error',
      from: { path: inside, pathNot: '-(sql|redis)\\.ts$' },
      to: { path: library('koa|@koa|ejs|knex|pg|ioredis|oidc-provider') },
    },
    {
      name: 'through-the-front-door',
      comment: 'another folder is imported by its index.ts only',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: '^src/cli/' },
      to: { path: `^src/(${domains}|oidc)/(?!index\\.ts$)`, pathNot: '^src/$1/' },
    },
    {
      name: 'own-index-is-for-others',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/$1/index\\.ts$' },
    },
    {
      name: 'stores-are-chosen-in-app',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/app\\.ts$|^src/app/|-(sql|redis)\\.ts$' },
      to: { path: `^src/(${domains}|oidc)/.*-(sql|redis)\\.ts$` },
    },
    {
      name: 'knex-only-in-sql-stores',
      severity: 'error',
      from: { path: '^src/', pathNot: '-sql\\.ts$|^src/storage/' },
      to: { path: library('knex|pg') },
    },
    {
      name: 'oidc-provider-only-in-oidc',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/oidc/' },
      to: { path: library('oidc-provider') },
    },
    {
      name: 'one-seam-for-provider-internals',
      severity: 'error',
      from: { pathNot: '^src/oidc/provider-internals\\.ts$' },
      to: { path: 'oidc-provider/lib/(?!index\\.js)' },
    },
    {
      name: 'nobody-imports-the-root',
      severity: 'error',
      from: { pathNot: '^src/main\\.ts$|^src/app/|^src/cli/' },
      to: { path: '^src/app\\.ts$' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/main\\.ts$|\\.d\\.ts$' },
      to: {},
    },
    ...order.map((domain, index) => ({
      name: `${domain}-imports-only-earlier-domains`,
      severity: 'error',
      from: { path: `^src/${domain}/` },
      to: { path: `^src/(${order.slice(index + 1).join('|') || 'none'})/` },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
