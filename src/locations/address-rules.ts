import type { Locations } from './locations.ts';
import type { NetworkList } from './network-list.ts';

/** Why an address may come in or not. */
export type Entrance = 'open' | 'allowed' | 'blocked-address' | 'blocked-country' | 'not-allowed';

export interface AddressRules {
  /** Nothing is allowed or blocked by name, so everybody may come in. */
  readonly open: boolean;
  /** Decides by these steps, the first that fits: allowed address, blocked address, blocked country, allow lists. */
  check(address: string): Entrance;
}

/** Why nobody may sign in from this address; undefined where they may. */
export function refusalOf(rules: AddressRules, address: string): Entrance | undefined {
  if (rules.open) return undefined;
  const entrance = rules.check(address);
  return entrance === 'open' || entrance === 'allowed' ? undefined : entrance;
}

interface Lists {
  readonly allowAddresses: NetworkList;
  readonly blockAddresses: NetworkList;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly allowCountries: ReadonlySet<string>;
  readonly blockCountries: ReadonlySet<string>;
}

/**
 * Which addresses people may sign in from. An address that is allowed by name is let in whatever its country; where only
 * some are allowed, an address of an unknown country is not one of them.
 */
export function createAddressRules(lists: Lists, locations: Locations): AddressRules {
  const { allowAddresses, blockAddresses, allowCountries, blockCountries } = lists;
  const picky = allowAddresses.size > 0 || allowCountries.size > 0;
  return {
    open: !picky && blockAddresses.size === 0 && blockCountries.size === 0,
    check(address) {
      if (allowAddresses.has(address)) return 'allowed';
      if (blockAddresses.has(address)) return 'blocked-address';
      const country = allowCountries.size + blockCountries.size > 0 ? locations.find(address)?.country : undefined;
      if (country !== undefined && blockCountries.has(country)) return 'blocked-country';
      if (!picky) return 'open';
      return country !== undefined && allowCountries.has(country) ? 'allowed' : 'not-allowed';
    },
  };
}
