// An API that checks tokens with sallyport/resource-server and learns of revocations from status lists. npm install koa
import Koa from 'koa';
import { createResourceServer, forKoa, requireAcr, requireScope } from 'sallyport/resource-server';

const { ISSUER = 'http://localhost:3000', PORT = '8081' } = process.env;

const api = createResourceServer({
  issuer: ISSUER,
  audience: 'https://orders.example.com', // as it was registered: sallyport apis create https://orders.example.com …
  metadata: { resource_name: 'Orders', scopes_supported: ['orders.read', 'orders.write'] },
});

const read = forKoa(api, (access) => requireScope(access, 'orders.read'));
const write = forKoa(api, (access) => {
  requireScope(access, 'orders.write');
  requireAcr(access, { acr: 'aal2', maxAge: 900 }); // two factors, within a quarter of an hour
});

const app = new Koa();
app.use(async (ctx, next) => {
  // How clients that know nothing find out where to get a token (RFC 9728).
  if (ctx.path !== new URL(api.metadataUrl).pathname) return next();
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.body = api.metadata;
});
app.use((ctx, next) => (ctx.method === 'GET' ? read : write)(ctx, next));
app.use((ctx) => {
  ctx.body = { orders: [], for: ctx.state.access.claims.sub };
});
app.listen(Number(PORT), 'localhost', () => console.log(`Listening on http://localhost:${PORT}`));
