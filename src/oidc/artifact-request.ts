import { Provider } from 'oidc-provider';
import { currentUnitOfWork } from '../storage/unit-of-work.ts';

/** What a store learns of the request it works for, where the adapter's arguments do not say it. */
export interface RequestFacts {
  /** The same object in every call of one request; undefined outside of one. */
  current(): object | undefined;
  /** Whether it is at the token endpoint, where alone a refresh token may be tried again. */
  isRedeeming(): boolean;
  /** The cookie id that the request's session is leaving for a new one; the library destroys it before it saves. */
  leavingSessionId(): string | undefined;
}

interface Context {
  readonly oidc?: { readonly route?: string; readonly session?: { readonly oldId?: string } };
}

const context = (): Context | undefined => (Provider as unknown as { ctx?: Context }).ctx;

/** The request that oidc-provider is serving, as its own context tells it. */
export const providerRequest: RequestFacts = {
  current: () => context() ?? currentUnitOfWork(),
  isRedeeming: () => context()?.oidc?.route === 'token',
  leavingSessionId: () => context()?.oidc?.session?.oldId,
};
