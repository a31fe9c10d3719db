/** Roughly where an address is. What the database does not say is left out. */
export interface Location {
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country?: string;
  /** In English. */
  readonly countryName?: string;
  readonly city?: string;
  /** Degrees. */
  readonly latitude?: number;
  readonly longitude?: number;
  /** How far the place may be from the coordinates, kilometres. */
  readonly accuracyKm?: number;
}

const earthRadiusKm = 6371;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Kilometres along the ground between two places; undefined when one of them has no coordinates. */
export function distanceKm(a: Location, b: Location): number | undefined {
  if (a.latitude === undefined || a.longitude === undefined) return undefined;
  if (b.latitude === undefined || b.longitude === undefined) return undefined;
  const half = (from: number, to: number): number => Math.sin(radians(to - from) / 2) ** 2;
  const share =
    half(a.latitude, b.latitude) +
    Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * half(a.longitude, b.longitude);
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(share)));
}

/** As people say it: city and country, or what is known of them. */
export function locationText({ city, country, countryName }: Location): string | undefined {
  const parts = [city, countryName ?? country].filter((part) => part !== undefined);
  return parts.length > 0 ? parts.join(', ') : undefined;
}
