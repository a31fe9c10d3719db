// RPC: what services and Envoy ask by gRPC, on a port of its own. It decides nothing: tokens are introspected by oidc/,
// requests at proxies are decided by forward-auth/. Owns no table. The files in `proto/` are its contract.
export { type RpcServer, startRpc } from './server.ts';
