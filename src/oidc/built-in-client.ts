import type { Client } from '../clients/index.ts';

/** A client of the server itself, which nobody can register or change: strict, ours, and as old as time. */
export const builtInClient = (own: Pick<Client, 'id' | 'name' | 'kind' | 'metadata'>): Client => ({
  ...own,
  apis: {},
  firstParty: true,
  directSignIn: false,
  requirePkce: true,
  requireSecondFactor: false,
  strictRefresh: true,
  mayIntrospect: false,
  disabled: false,
  createdAt: 0,
  updatedAt: 0,
  version: 1,
});
