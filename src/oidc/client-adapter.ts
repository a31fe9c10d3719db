import type { AdapterPayload } from 'oidc-provider';
import { toProviderMetadata } from '../clients/index.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { OidcDomains } from './domains.ts';

const readOnly = async (): Promise<never> => {
  throw new Error('Clients are written by the clients domain, not by the protocol library.');
};

/** The library's view of our clients: it only ever looks one up. A disabled client is not found. */
export const createClientAdapter = (clients: OidcDomains['clients']): ArtifactStore => ({
  async find(id) {
    // Read from an assertion or a hint that nobody has verified yet; a database refuses it with what looks like a defect.
    if (id.includes('\0')) return undefined;
    const client = await clients.find(id);
    return client && !client.disabled ? (toProviderMetadata(client) as AdapterPayload) : undefined;
  },
  upsert: readOnly,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: readOnly,
  destroy: readOnly,
  revokeByGrantId: readOnly,
});
