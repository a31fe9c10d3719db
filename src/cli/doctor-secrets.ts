import type { SealedPlace } from '../app/sealed-data.ts';
import type { Check } from './check.ts';
import { callServer } from './control-client.ts';

const name = 'secrets';

const listed = (places: readonly SealedPlace[], count: (place: SealedPlace) => number): string =>
  places
    .filter((place) => count(place) > 0)
    .map((place) => `${place.name} (${count(place)})`)
    .join(', ');

/** Which of what is sealed needs a secret that is older than the newest, or not there. */
export function describeSealed(places: readonly SealedPlace[]): Check {
  const unknown = listed(places, (place) => (place.lasting ? place.unknown : 0));
  if (unknown !== '') {
    const fix = 'Put the secret that sealed them back into SALLYPORT_SECRETS, after the newest one.';
    return { name, status: 'fail', detail: `a secret is missing that sealed ${unknown}`, fix };
  }
  const older = listed(places, (place) => place.older);
  if (older === '') return { name, status: 'ok', detail: 'everything is sealed with the newest one' };
  const detail = `an older one sealed ${older}`;
  const lasting = places.some((place) => place.lasting && place.older > 0);
  if (!lasting) return { name, status: 'ok', detail: `${detail}, which expire by themselves` };
  return { name, status: 'warn', detail, fix: 'Run `sallyport secrets reseal` once every node has the newest one.' };
}

/** The same of an embedded database that a running server has. */
export async function secretsOfServer(dataDir: string): Promise<Check> {
  const response = await callServer(dataDir, { command: 'secrets status', input: {} });
  if (response?.ok) return describeSealed(response.result as SealedPlace[]);
  return { name, status: 'fail', detail: response?.error.message ?? 'the server has stopped meanwhile' };
}
