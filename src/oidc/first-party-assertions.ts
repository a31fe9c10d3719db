import { AsyncLocalStorage } from 'node:async_hooks';
import type { Provider } from 'oidc-provider';

const shown = new AsyncLocalStorage<Set<string>>();

/**
 * Runs the steps of one request. A client assertion (RFC 7523) that was good in one of them is good in the others too:
 * to the client it was sent once.
 */
export const asOneRequest = <T>(work: () => Promise<T>): Promise<T> =>
  shown.getStore() ? work() : shown.run(new Set(), work);

/** Lets the provider know of {@link asOneRequest}. Any other second use of an assertion is refused as ever. */
export function rememberAssertions(provider: Provider): void {
  const model = provider.ReplayDetection;
  const unique = model.unique;
  model.unique = async function uniqueInRequest(issuer, id, expiresAt) {
    const seen = shown.getStore();
    const key = `${issuer} ${id}`;
    if (seen?.has(key)) return true;
    const isNew = await unique.call(this, issuer, id, expiresAt);
    if (isNew) seen?.add(key);
    return isNew;
  };
}
