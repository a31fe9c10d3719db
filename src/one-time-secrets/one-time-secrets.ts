import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import type { CodeStore } from './code-store.ts';
import { type CodePolicy, type Codes, codePolicy, createCodes } from './codes.ts';
import type { LinkStore } from './link-store.ts';
import { createLinks, type Links } from './links.ts';

/** Secrets that are sent to a person and work once: tokens in links, and codes to type. */
export interface OneTimeSecrets {
  readonly links: Links;
  readonly codes: Codes;
  /** Deletes what is over, in batches, and says how many rows. */
  purge(): Promise<number>;
}

interface Needs {
  readonly links: LinkStore;
  readonly codes: CodeStore;
  readonly clock: Clock;
  /** Codes are stored as HMACs under it. */
  readonly secrets: SecretRing;
  readonly policy?: Partial<CodePolicy>;
}

const batch = 1_000;

/** Makes the domain. */
export function createOneTimeSecrets(needs: Needs): OneTimeSecrets {
  const { clock, secrets } = needs;
  const policy = { ...codePolicy, ...needs.policy };
  return {
    links: createLinks({ store: needs.links, clock }),
    codes: createCodes({ store: needs.codes, clock, secrets, policy }),
    async purge() {
      const now = clock.now();
      const steps = [
        () => needs.links.purge(now, batch),
        () => needs.codes.purge(now, now - policy.quota.windowSeconds * 1000, batch),
      ];
      let total = 0;
      for (const step of steps) {
        for (let removed = batch; removed >= batch; total += removed) removed = await step();
      }
      return total;
    },
  };
}
