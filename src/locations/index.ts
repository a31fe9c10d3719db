// Locations: roughly where an IP address is, from a database that the operator supplies (MaxMind DB format), and the
// lists of addresses and countries that may come in. Owns no table. It knows no person. Needs nobody.
export { type AddressRules, createAddressRules, type Entrance, refusalOf } from './address-rules.ts';
export { distanceKm, type Location, locationText } from './location.ts';
export { type Locations, noLocations, openLocations } from './locations.ts';
export { createNetworkList, type NetworkList, openNetworkFile } from './network-list.ts';
