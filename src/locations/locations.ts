import { isIP } from 'node:net';
import { type CityResponse, Reader } from 'mmdb-lib';
import { reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Location } from './location.ts';
import { watchedFile } from './watched-file.ts';

/** Where addresses are. */
export interface Locations {
  /** Roughly where it is; undefined for private and unknown addresses and without a database. */
  find(address: string | undefined): Location | undefined;
}

/** Without a database nothing is known. */
export const noLocations: Locations = { find: () => undefined };

function locationOf({ city, country, location }: CityResponse): Location {
  return {
    ...(country?.iso_code && { country: country.iso_code.toUpperCase() }),
    ...(country?.names?.en && { countryName: country.names.en }),
    ...(city?.names?.en && { city: city.names.en }),
    ...(typeof location?.latitude === 'number' && { latitude: location.latitude }),
    ...(typeof location?.longitude === 'number' && { longitude: location.longitude }),
    ...(typeof location?.accuracy_radius === 'number' && { accuracyKm: location.accuracy_radius }),
  };
}

/** Seconds between looks at a file that may have been replaced. */
const lookInterval = 60;

/**
 * Opens a database of cities or countries in MaxMind DB format, held in memory and read again when the file is replaced.
 * A new file that is broken leaves the old one in use and is logged. @throws AppError `invalid_input` at the first reading.
 */
export function openLocations(path: string, logger: Logger): Locations & Disposable {
  const file = watchedFile({
    path,
    name: 'database of locations',
    seconds: lookInterval,
    read: (bytes) => new Reader<CityResponse>(bytes),
    logger,
  });
  return {
    find(address) {
      if (address === undefined || isIP(address) === 0) return undefined;
      try {
        const found = file.current.get(address);
        return found ? locationOf(found) : undefined;
      } catch (error) {
        // A damaged record must not keep anybody from signing in.
        logger.warn({ reason: reasonOf(error) }, 'a location could not be read');
        return undefined;
      }
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
