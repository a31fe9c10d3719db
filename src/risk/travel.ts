import { distanceKm, type Location } from '../locations/index.ts';

/** Kilometres an hour that no traveller makes from door to door. */
const fastestKmh = 900;
/** Kilometres that say nothing: mobile networks show up in the next big city. */
const noiseKm = 200;

/** Somebody at a place and a time, milliseconds since the epoch. */
export interface Whereabouts {
  readonly at: number;
  readonly location: Location;
}

/**
 * Whether nobody can have been at both: further apart than a plane flies in the time between, even when both places are as
 * near to each other as the database allows. Unknown places are never too far.
 */
export function isImpossibleTravel(before: Whereabouts, now: Whereabouts): boolean {
  const apart = distanceKm(before.location, now.location);
  if (apart === undefined) return false;
  const doubt = (before.location.accuracyKm ?? 0) + (now.location.accuracyKm ?? 0);
  const atLeast = apart - doubt;
  const hours = Math.abs(now.at - before.at) / 3_600_000;
  return atLeast > noiseKm && atLeast > fastestKmh * hours;
}
